package org.odpi.openmetadata.frameworkservices.oif.admin;

import org.odpi.openmetadata.frameworks.auditlog.AuditLog;
import org.odpi.openmetadata.repositoryservices.connectors.stores.metadatacollectionstore.repositoryconnector.OMRSRepositoryConnector;

/** Stands in for a service that isn't in the registry, so that the admin services load. */
public class OIFMetadataOperationalServices
{
    public OIFMetadataOperationalServices(String serverName,
                                          OMRSRepositoryConnector connector,
                                          AuditLog auditLog,
                                          String userId,
                                          int maxPageSize) {}

    public void shutdown() {}
}
