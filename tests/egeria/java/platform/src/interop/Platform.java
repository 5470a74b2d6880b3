package interop;

import java.util.Map;
import org.odpi.openmetadata.conformance.beans.OpenMetadataConformanceWorkbenchResults;
import org.odpi.openmetadata.conformance.beans.TechnologyUnderTestWorkPad;
import org.odpi.openmetadata.conformance.server.ConformanceServicesInstanceMap;
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

        /** Whether a workbench is at its end; takes no time. */
        @GetMapping("/complete/workbenches/{id}")
        public Map<String, Object> complete(@PathVariable String server, @PathVariable String user, @PathVariable String id) throws Exception
        {
            return Map.of("complete", workPad(server).getWorkbenchStatus(id).getWorkbenchComplete());
        }

        /** How many cases came out how; takes seconds of a long run, in which the workbench waits. */
        @GetMapping("/counts/workbenches/{id}")
        public Map<String, Object> counts(@PathVariable String server, @PathVariable String user, @PathVariable String id) throws Exception
        {
            OpenMetadataConformanceWorkbenchResults results = workPad(server).getWorkbenchReport(id);
            return Map.of("passed", results.getTestPassCount(), "failed", results.getTestFailedCount());
        }

        /** What the services know of it; they themselves make a text of all they answer, for a log that nobody reads. */
        private static TechnologyUnderTestWorkPad workPad(String server)
        {
            return new ConformanceServicesInstanceMap().getInstance(server).getWorkPad();
        }
    }

    /** The release's own type archive, in the open metadata archive format. */
    @RestController
    public static class Types
    {
        @GetMapping("/interop/open-metadata-types-archive")
        public Object archive() { return new OpenMetadataTypesArchive().getOpenMetadataArchive(); }
    }
}
