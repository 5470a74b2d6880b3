package org.odpi.openmetadata.governanceservers.integrationdaemonservices.server;

import java.util.List;
import org.odpi.openmetadata.frameworks.auditlog.AuditLog;

/** Stands in for a service that isn't in the registry, so that the admin services load. */
public class IntegrationDaemonOperationalServices
{
    public IntegrationDaemonOperationalServices(String a, String b, String c, String d, int maxPageSize) {}

    public List initialize(List services, List groups, AuditLog auditLog) { return null; }

    public List getServiceStatuses() { return null; }

    public void terminate() {}
}
