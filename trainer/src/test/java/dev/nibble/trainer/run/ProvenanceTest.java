package dev.nibble.trainer.run;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.LocalDateTime;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

final class ProvenanceTest {
  private static final String ABC =
      "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";

  @TempDir Path dir;

  @Test
  void holdsAllThatTheResultDependsOn() throws IOException {
    Path data = Files.writeString(dir.resolve("train.jsonl"), "abc");
    Path model = Files.createDirectory(dir.resolve("model"));
    Files.writeString(model.resolve("model.safetensors"), "abc");
    Files.writeString(model.resolve("config.json"), "{}");
    Files.writeString(model.resolve("chat_template.jinja"), "{{ messages }}");
    Files.writeString(model.resolve("README.md"), "not a part of it");
    Files.writeString(model.resolve("provenance.json"), "neither");
    Path file = dir.resolve("provenance.json");

    Provenance written =
        new Provenance(
            Runs.settings("2e-4", 2),
            List.of(
                new RunInput("base_model", "model", FileDigest.ofModel(model)),
                new RunInput("rows", "data", List.of(FileDigest.of("train.jsonl", data)))),
            List.of(),
            LocalDateTime.of(2026, 11, 30, 3, 0),
            new Build("1.0", "unknown"),
            Machine.current(),
            "cpu");
    written.write(dir);

    JsonNode json = new JsonMapper().readTree(Files.readString(file));
    assertThat(json.at("/settings/decisive/rate").stringValue()).isEqualTo("2e-4");
    assertThat(json.at("/settings/length/epochs").longValue()).isEqualTo(2);
    assertThat(json.at("/inputs/0/files/0/name").stringValue()).isEqualTo("chat_template.jinja");
    assertThat(json.at("/inputs/0/files/1/name").stringValue()).isEqualTo("config.json");
    assertThat(json.at("/inputs/0/files/2/sha256").stringValue()).isEqualTo(ABC);
    assertThat(json.at("/inputs/0/files")).hasSize(3);
    assertThat(json.at("/inputs/1/files/0/bytes").longValue()).isEqualTo(3);
    assertThat(json.at("/build/version").stringValue()).isEqualTo("1.0");
    assertThat(json.at("/machine/jdk").stringValue()).contains(Runtime.version().toString());
    assertThat(json.path("kernels").stringValue()).isEqualTo("cpu");
    assertThat(Provenance.read(dir)).contains(written);
    assertThat(Provenance.read(dir.resolve("nowhere"))).isEmpty();
  }

  @Test
  void largeFilesAreSampled() throws IOException {
    byte[] content = new byte[65 << 20];
    Path file = Files.write(dir.resolve("large"), content);
    FileDigest whole = FileDigest.of("large", file);
    FileDigest sampled = FileDigest.of("large", file, 0);
    assertThat(whole.sampled()).isFalse();
    assertThat(sampled.sampled()).isTrue();
    assertThat(sampled.bytes()).isEqualTo(content.length);

    content[content.length - 1] = 1;
    Files.write(file, content);
    assertThat(FileDigest.of("large", file, 0).sha256()).isNotEqualTo(sampled.sha256());
  }

  @Test
  void theBuildKnowsItsVersion() {
    assertThat(Build.current().version()).matches("\\d+\\.\\d+\\.\\d+.*");
    assertThat(Build.current().commit()).matches("unknown|[0-9a-f]{7,40}");
  }
}
