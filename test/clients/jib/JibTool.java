// Pushes an image with one file by Jib's library: JibTool IMAGE TOKEN FILE. The token may be empty.

import com.google.cloud.tools.jib.api.Containerizer;
import com.google.cloud.tools.jib.api.Jib;
import com.google.cloud.tools.jib.api.RegistryImage;
import com.google.cloud.tools.jib.api.buildplan.AbsoluteUnixPath;
import java.nio.file.Path;
import java.util.List;

public class JibTool {
  public static void main(String[] args) throws Exception {
    RegistryImage image = RegistryImage.named(args[0]);
    if (!args[1].isEmpty()) {
      image.addCredential("any", args[1]);
    }
    Containerizer to =
        Containerizer.to(image)
            .setAllowInsecureRegistries(true)
            .setBaseImageLayersCache(Path.of("base"))
            .setApplicationLayersCache(Path.of("layers"));
    try {
      Jib.fromScratch()
          .addLayer(List.of(Path.of(args[2])), AbsoluteUnixPath.get("/opt"))
          .containerize(to);
    } catch (Exception exception) {
      // As Jib's plug-ins tell it.
      System.err.println(exception.getMessage());
      System.exit(1);
    }
  }
}
