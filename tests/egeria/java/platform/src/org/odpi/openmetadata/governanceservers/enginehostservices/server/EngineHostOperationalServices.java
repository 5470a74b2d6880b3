package org.odpi.openmetadata.governanceservers.enginehostservices.server;

import java.util.List;
import org.odpi.openmetadata.adminservices.configuration.properties.EngineHostServicesConfig;
import org.odpi.openmetadata.frameworks.auditlog.AuditLog;

/** Stands in for a service that isn't in the registry, so that the admin services load. */
public class EngineHostOperationalServices
{
    public EngineHostOperationalServices(String a, String b, String c, String d, int maxPageSize) {}

    public List initialize(EngineHostServicesConfig config, AuditLog auditLog) { return null; }

    public List getServiceStatuses() { return null; }

    public void terminate() {}
}
