package dev.nibble.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

class BomTest {
  private static final Path ROOT = Path.of(System.getProperty("nibble.root"));

  private static List<String> found(String pom, String pattern) throws IOException {
    return Pattern.compile(pattern)
        .matcher(Files.readString(ROOT.resolve(pom)))
        .results()
        .map((MatchResult match) -> match.group(1))
        .toList();
  }

  @Test
  void hasEveryModuleOfTheLibrary() throws IOException {
    List<String> library =
        found("pom.xml", "<module>(.*)</module>").stream()
            .filter(module -> !List.of("cli", "examples", "bom").contains(module))
            .toList();
    assertThat(library).contains("api");
    assertThat(found("bom/pom.xml", "<artifactId>nibble-(.*)</artifactId>"))
        .containsExactlyInAnyOrderElementsOf(
            Stream.concat(Stream.of("bom"), library.stream()).toList());
  }

  @Test
  void hasTheirVersion() throws IOException {
    String version = found("pom.xml", "<version>(.*)</version>").getFirst();
    assertThat(found("bom/pom.xml", "<version>(.*)</version>").getFirst()).isEqualTo(version);
  }
}
