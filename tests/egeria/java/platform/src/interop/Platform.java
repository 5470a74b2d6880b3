package interop;

import org.odpi.openmetadata.opentypes.OpenMetadataTypesArchive;
import org.springframework.boot.SpringApplication;
import org.springframework.boot.autoconfigure.SpringBootApplication;
import org.springframework.context.annotation.ComponentScan;
import org.springframework.web.bind.annotation.GetMapping;
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

    /** The release's own type archive, in the open metadata archive format. */
    @RestController
    public static class Types
    {
        @GetMapping("/interop/open-metadata-types-archive")
        public Object archive() { return new OpenMetadataTypesArchive().getOpenMetadataArchive(); }
    }
}
