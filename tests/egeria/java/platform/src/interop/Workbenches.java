package interop;

import com.fasterxml.jackson.annotation.JsonInclude;
import java.util.ArrayList;
import java.util.Collection;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import org.odpi.openmetadata.conformance.beans.OpenMetadataConformanceProfileResults;
import org.odpi.openmetadata.conformance.beans.OpenMetadataConformanceRequirementResults;
import org.odpi.openmetadata.conformance.beans.OpenMetadataConformanceStatus;
import org.odpi.openmetadata.conformance.beans.OpenMetadataConformanceTestEvidence;
import org.odpi.openmetadata.conformance.beans.OpenMetadataConformanceTestEvidenceType;
import org.odpi.openmetadata.conformance.beans.OpenMetadataConformanceWorkbenchResults;
import org.odpi.openmetadata.conformance.beans.OpenMetadataTestCaseResult;
import org.odpi.openmetadata.conformance.beans.TechnologyUnderTestWorkPad;
import org.odpi.openmetadata.conformance.server.ConformanceServicesInstanceMap;
import org.springframework.web.bind.annotation.GetMapping;
import org.springframework.web.bind.annotation.PathVariable;
import org.springframework.web.bind.annotation.RequestMapping;
import org.springframework.web.bind.annotation.RestController;

/**
 * What the workbenches of a server found. The suite's own services make a text of all that they answer, for a log
 * that nobody reads; of a whole run that text takes more memory than there is.
 */
@RestController
@RequestMapping("/interop/{server}/workbenches/{id}")
public class Workbenches
{
    /** Whether a workbench is at its end; takes no time. */
    @GetMapping("/complete")
    public Map<String, Object> complete(@PathVariable String server, @PathVariable String id) throws Exception
    {
        return Map.of("complete", workPad(server).getWorkbenchStatus(id).getWorkbenchComplete());
    }

    /** How many cases came out how; takes seconds of a long run, in which the workbench waits. */
    @GetMapping("/counts")
    public Map<String, Object> counts(@PathVariable String server, @PathVariable String id) throws Exception
    {
        OpenMetadataConformanceWorkbenchResults results = workPad(server).getWorkbenchReport(id);
        return Map.of("passed", results.getTestPassCount(), "failed", results.getTestFailedCount());
    }

    /** The report by the suite's own names, without what is the same in each of a million pieces of evidence. */
    @GetMapping("/report")
    public Report report(@PathVariable String server, @PathVariable String id) throws Exception
    {
        return Report.of(workPad(server).getWorkbenchReport(id));
    }

    private static TechnologyUnderTestWorkPad workPad(String server)
    {
        return new ConformanceServicesInstanceMap().getInstance(server).getWorkPad();
    }

    record Report(int testPassCount, int testFailedCount, int testSkippedCount, List<Profile> profileResults,
                  List<OpenMetadataTestCaseResult> failedTestCases)
    {
        static Report of(OpenMetadataConformanceWorkbenchResults results)
        {
            return new Report(results.getTestPassCount(), results.getTestFailedCount(), results.getTestSkippedCount(),
                              all(results.getProfileResults()).stream().map(Profile::of).toList(),
                              all(results.getFailedTestCases()));
        }
    }

    record Profile(String name, OpenMetadataConformanceStatus conformanceStatus, List<Requirement> requirementResults)
    {
        static Profile of(OpenMetadataConformanceProfileResults profile)
        {
            return new Profile(profile.getName(), profile.getConformanceStatus(),
                               all(profile.getRequirementResults()).stream().map(Requirement::of).toList());
        }
    }

    record Requirement(String name, OpenMetadataConformanceStatus conformanceStatus,
                       Collection<Evidence> positiveTestEvidence, Collection<Evidence> negativeTestEvidence)
    {
        static Requirement of(OpenMetadataConformanceRequirementResults requirement)
        {
            return new Requirement(requirement.getName(), requirement.getConformanceStatus(),
                                   Evidence.of(requirement.getPositiveTestEvidence()),
                                   Evidence.of(requirement.getNegativeTestEvidence()));
        }
    }

    @JsonInclude(JsonInclude.Include.NON_NULL)
    record Evidence(String testCaseId, OpenMetadataConformanceTestEvidenceType testEvidenceType, String methodName,
                    Long elapsedTime)
    {
        /** Each measured time, and once what has none. */
        static Collection<Evidence> of(List<OpenMetadataConformanceTestEvidence> evidence)
        {
            Collection<Evidence> unmeasured = new LinkedHashSet<>();
            Collection<Evidence> found = new ArrayList<>();
            for (OpenMetadataConformanceTestEvidence each : all(evidence))
            {
                (each.getElapsedTime() == null ? unmeasured : found).add(
                    new Evidence(each.getTestCaseId(), each.getTestEvidenceType(), each.getMethodName(), each.getElapsedTime()));
            }
            found.addAll(unmeasured);
            return found;
        }
    }

    private static <T> List<T> all(List<T> found)
    {
        return found == null ? List.of() : found;
    }
}
