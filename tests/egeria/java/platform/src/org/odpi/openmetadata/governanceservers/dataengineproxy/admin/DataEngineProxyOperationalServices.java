package org.odpi.openmetadata.governanceservers.dataengineproxy.admin;

import org.odpi.openmetadata.adminservices.configuration.properties.DataEngineProxyConfig;
import org.odpi.openmetadata.repositoryservices.auditlog.OMRSAuditLog;

/** Stands in for a service that isn't in the registry, so that the admin services load. */
public class DataEngineProxyOperationalServices
{
    public DataEngineProxyOperationalServices(String a, String b, String c, String d) {}

    public void initialize(DataEngineProxyConfig config, OMRSAuditLog auditLog) {}

    public boolean disconnect() { return true; }
}
