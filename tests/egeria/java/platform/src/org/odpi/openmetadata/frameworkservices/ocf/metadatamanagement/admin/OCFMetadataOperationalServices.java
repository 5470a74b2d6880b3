package org.odpi.openmetadata.frameworkservices.ocf.metadatamanagement.admin;

import org.odpi.openmetadata.frameworks.auditlog.AuditLog;
import org.odpi.openmetadata.repositoryservices.connectors.stores.metadatacollectionstore.repositoryconnector.OMRSRepositoryConnector;

/** Stands in for a service that isn't in the registry, so that the admin services load. */
public class OCFMetadataOperationalServices
{
    public OCFMetadataOperationalServices(String serverName,
                                          OMRSRepositoryConnector connector,
                                          AuditLog auditLog,
                                          String userId,
                                          int maxPageSize) {}

    public void shutdown() {}
}
