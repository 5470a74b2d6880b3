package org.odpi.openmetadata.governanceservers.openlineage.admin;

import org.odpi.openmetadata.adminservices.configuration.properties.OpenLineageServerConfig;
import org.odpi.openmetadata.repositoryservices.auditlog.OMRSAuditLog;

/** Stands in for a service that isn't in the registry, so that the admin services load. */
public class OpenLineageServerOperationalServices
{
    public OpenLineageServerOperationalServices(String a, String b, String c, String d, int maxPageSize) {}

    public void initialize(OpenLineageServerConfig config, OMRSAuditLog auditLog) {}

    public boolean shutdown() { return true; }
}
