package dev.nibble.trainer.plan;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.nibble.compute.safetensors.ShardedSafetensors;
import dev.nibble.compute.tensor.Shape;
import dev.nibble.quant.plan.PlannedFormat;
import dev.nibble.trainer.model.build.ModelLoader;
import java.io.IOException;
import java.net.URISyntaxException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Objects;
import java.util.SequencedMap;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The file of a plan: written, read, and refused where it is wrong or for something else. */
final class FormatPlanTest {
  private static final String V = "model.layers.1.self_attn.v_proj.weight";

  @TempDir private Path temporary;
  private Path file = Path.of("");

  private static Path model() {
    try {
      return Path.of(
          Objects.requireNonNull(FormatPlanTest.class.getResource("/golden/bnb/base")).toURI());
    } catch (URISyntaxException e) {
      throw new IllegalStateException(e);
    }
  }

  @BeforeEach
  void write() throws IOException {
    file = temporary.resolve("plan.json");
    SequencedMap<String, FormatPlan.Matrix> matrices = new LinkedHashMap<>();
    try (ShardedSafetensors source = ShardedSafetensors.open(model())) {
      for (String name : ModelLoader.linearWeights(model(), source)) {
        Shape shape = source.tensor(name).shape();
        matrices.put(
            name,
            new FormatPlan.Matrix(
                shape.dim(0), shape.dim(1), name.contains("mlp") ? "nf4-128" : "hqq-3-g16"));
      }
    }
    new FormatPlan(1, 1_000, 900, 3.5, 0.01, FormatPlan.weightsOf(model()), matrices).write(file);
  }

  private PlannedFormat read() {
    return FormatPlan.formatFor(model(), file);
  }

  private void change(String from, String to) throws IOException {
    String text = Files.readString(file);
    assertThat(text).contains(from);
    Files.writeString(file, text.replace(from, to));
  }

  private void refused(String message) {
    assertThatThrownBy(this::read)
        .isInstanceOf(PlanException.class)
        .hasMessageStartingWith(file.toString())
        .hasMessageContaining(message);
  }

  @Test
  void isReadAsItWasWritten() {
    PlannedFormat format = read();
    try (ShardedSafetensors source = ShardedSafetensors.open(model())) {
      assertThat(List.copyOf(format.weights().keySet()))
          .isEqualTo(ModelLoader.linearWeights(model(), source));
      format
          .weights()
          .forEach((name, planned) ->
              assertThat(planned)
                  .isEqualTo(
                      new PlannedFormat.Planned(
                          source.tensor(name).shape(),
                          PlannedFormat.candidate(
                              name.contains("mlp") ? "nf4-128" : "hqq-3-g16"))));
    }
  }

  @Test
  void otherWeightsAreToldApart() throws IOException {
    Path other = Files.createDirectories(temporary.resolve("other"));
    for (String name : List.of("config.json", "model.safetensors")) {
      Files.copy(model().resolve(name), other.resolve(name));
    }
    assertThat(FormatPlan.formatFor(other, file)).isEqualTo(read());
    byte[] bytes = Files.readAllBytes(other.resolve("model.safetensors"));
    bytes[bytes.length - 1] ^= 1;
    Files.write(other.resolve("model.safetensors"), bytes);
    assertThatThrownBy(() -> FormatPlan.formatFor(other, file))
        .isInstanceOf(PlanException.class)
        .hasMessageContaining("is a plan for other weights than those of " + other)
        .hasMessageContaining("model.safetensors (%d bytes, SHA-256 ", bytes.length);
  }

  @Test
  void plansForOtherModelsAreRefused() throws IOException {
    String before = Files.readString(file);
    change(V, V.replace("layers.1", "layers.9"));
    refused("is a plan for another model than %s, whose '%s' is ".formatted(model(), V));
    Files.writeString(file, before);
    change(
        "\"matrices\" : {", "\"matrices\" : {\"w\": {\"rows\":1,\"cols\":1,\"format\":\"nf4\"},");
    refused("which has no 'w'");
    Files.writeString(file, before);
    change("\"rows\" : ", "\"rows\" : 1");
    refused("is a plan for another model");
  }

  @Test
  void whatIsNoPlanIsRefused() throws IOException {
    for (String text : List.of("{\"version\": 1}", "[]", "nonsense", "")) {
      Files.writeString(file, text);
      refused("is no plan of weight formats as nibble plan writes it: ");
    }
    write();
    change("\"matrices\" : {", "\"matrices\" : {\"w\": null,");
    refused("is no plan of weight formats");
    write();
    change("\"version\" : 1", "\"version\" : 2");
    refused("is of version 2, expected 1");
    write();
    change("hqq-3-g16", "hqq-5");
    refused("q_proj.weight: ");
    write();
    change("nf4-128", "gptq-4");
    refused("gptq-4 is no format for a plan: it is fitted to data");
    write();
    change("nf4-128", "full");
    refused("full is no format for a plan");
    write();
    change("\"rows\" : ", "\"rows\" : -");
    refused("negative size in shape [-64, 64]");
    Files.delete(file);
    refused("cannot be read: ");
  }
}
