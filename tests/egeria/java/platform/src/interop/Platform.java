package interop;

import java.util.Map;
import org.odpi.openmetadata.conformance.beans.OpenMetadataConformanceWorkbenchResults;
import org.odpi.openmetadata.conformance.server.ConformanceSuiteTestLabServices;
import org.odpi.openmetadata.opentypes.OpenMetadataTypesArchive;
import org.springframework.boot.SpringApplication;
import org.springframework.boot.autoconfigure.SpringBootApplication;
import org.springframework.context.annotation.ComponentScan;
import org.springframework.web.bind.annotation.GetMapping;
import org.springframework.web.bind.annotation.PathVariable;
import org.springframework.web.bind.annotation.RequestMapping;
import org.springframework.web.bind.annotation.RestController;

/** Starts the genuine Egeria REST services, and adds what the registry's artifacts can't be asked for. */
@SpringBootApplication
@ComponentScan(basePackages = {"org.odpi.openmetadata", "interop"})
public class Platform
{
    public static void main(String[] args)
    {
        Starter.endWithIt();
        SpringApplication.run(Platform.class, args);
    }

    /** The conformance suite's reports. */
    @RestController
    @RequestMapping("/servers/{server}/open-metadata/conformance-suite/users/{user}")
    public static class Reports
    {
        private final ConformanceSuiteTestLabServices lab = new ConformanceSuiteTestLabServices();

        @GetMapping("/report")
        public Object report(@PathVariable String server, @PathVariable String user) { return lab.getConformanceReport(user, server); }

        @GetMapping("/report/summary")
        public Object summary(@PathVariable String server, @PathVariable String user) { return lab.getConformanceSummaryReport(user, server); }

        @GetMapping("/report/test-cases/failed")
        public Object failed(@PathVariable String server, @PathVariable String user) { return lab.getFailedTestCaseReport(user, server); }

        @GetMapping("/report/test-cases/{id}")
        public Object testCase(@PathVariable String server, @PathVariable String user, @PathVariable String id) { return lab.getTestCaseReport(user, server, id); }

        @GetMapping("/report/workbenches/{id}")
        public Object workbench(@PathVariable String server, @PathVariable String user, @PathVariable String id) { return lab.getWorkbenchReport(user, server, id); }

        /** How far a workbench is, without the report itself, which is many megabytes. */
        @GetMapping("/progress/workbenches/{id}")
        public Map<String, Object> progress(@PathVariable String server, @PathVariable String user, @PathVariable String id)
        {
            OpenMetadataConformanceWorkbenchResults results = lab.getWorkbenchReport(user, server, id).getWorkbenchResults();
            return Map.of("complete", lab.getWorkbenchStatus(user, server, id).getWorkbenchStatus().getWorkbenchComplete(),
                          "passed", results == null ? 0 : results.getTestPassCount(),
                          "failed", results == null ? 0 : results.getTestFailedCount(),
                          "skipped", results == null ? 0 : results.getTestSkippedCount());
        }

        @GetMapping("/status/workbenches/{id}")
        public Object status(@PathVariable String server, @PathVariable String user, @PathVariable String id) { return lab.getWorkbenchStatus(user, server, id); }
    }

    /** The release's own type archive, in the open metadata archive format. */
    @RestController
    public static class Types
    {
        @GetMapping("/interop/open-metadata-types-archive")
        public Object archive() { return new OpenMetadataTypesArchive().getOpenMetadataArchive(); }
    }
}
