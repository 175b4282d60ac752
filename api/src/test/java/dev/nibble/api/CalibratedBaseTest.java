package dev.nibble.api;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import dev.nibble.adapters.AdapterException;
import dev.nibble.api.event.Event;
import dev.nibble.api.export.Calibration;
import dev.nibble.api.export.ExportFormat;
import dev.nibble.api.export.Quantizer;
import dev.nibble.compute.tensor.DType;
import dev.nibble.quant.UnusableWeight;
import dev.nibble.quant.WeightFormat;
import dev.nibble.quant.gptq.GptqFormat;
import dev.nibble.quant.quip.QuipFormat;
import dev.nibble.recipes.recipe.Recipe;
import dev.nibble.recipes.recipe.RecipeException;
import dev.nibble.recipes.recipe.Recipes;
import dev.nibble.trainer.export.ExportException;
import dev.nibble.trainer.train.Outcome;
import dev.nibble.trainer.train.StopRequest;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.function.Consumer;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.io.TempDir;
import tools.jackson.databind.json.JsonMapper;

/** A base that was fitted to a recipe's data: written, stopped, gone on with, trained on. */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class CalibratedBaseTest {
  private static final GptqFormat GPTQ = new GptqFormat(4, 16);

  private Path folder = Path.of("");

  @BeforeAll
  void pretrain(@TempDir Path temp) throws IOException {
    folder = temp;
    TinyRun.in(folder);
    train("pretrain.yaml");
  }

  private Recipe recipe(String name, String... sets) {
    return Recipes.read(folder.resolve(name), List.of(sets));
  }

  private void train(String name, String... sets) {
    assertThat(
            Nibble.silent()
                .tuner(recipe(name, sets))
                .train(new ExistingRunPolicy.Anew(), new StopRequest()))
        .isInstanceOf(Outcome.Finished.class);
  }

  private Quantizer.Result quantize(
      String out, Optional<Calibration> data, Consumer<Event> listener) {
    return quantize(GPTQ, out, data, listener);
  }

  private Quantizer.Result quantize(
      WeightFormat format, String out, Optional<Calibration> data, Consumer<Event> listener) {
    return Nibble.reportingTo(listener)
        .quantize(
            new Quantizer.Request(
                folder.resolve("model"),
                folder.resolve(out),
                false,
                format,
                data,
                DType.BF16,
                List.of(),
                100_000,
                0));
  }

  private Optional<Calibration> data(int samples) {
    return Optional.of(new Calibration(recipe("qlora.yaml"), samples));
  }

  @Test
  void trainsAndMergesOnWeightsFittedToItsData() {
    Quantizer.Result result = quantize("gptq", data(20), event -> {});
    assertThat(result.quantized()).isEqualTo(14);
    assertThat(folder.resolve("gptq.calibration")).doesNotExist();
    assertThat(folder.resolve("gptq/config.json"))
        .content()
        .contains("\"quant_method\" : \"gptq\"", "\"bits\" : 4", "\"group_size\" : 16");
    String base = "base_model=" + folder.resolve("gptq");
    train(
        "qlora.yaml",
        base,
        "adapter=lora",
        "max_steps=4",
        "output_dir=" + folder.resolve("on-gptq"));
    Path merged = folder.resolve("merged");
    Nibble.silent()
        .exporter(ModelSource.tuned(folder.resolve("on-gptq")))
        .write(ExportFormat.Merged.standard(), merged);
    assertThat(merged.resolve("config.json")).content().doesNotContain("quantization_config");
    assertThatThrownBy(() -> recipe("qlora.yaml", base))
        .isInstanceOf(RecipeException.class)
        .hasMessageContaining(
            "the base is in GPTQ, 4 bits, groups of 16, act order already; write lora");
  }

  /**
   * The leading part of the base's low-rank products starts the adapter: the model is the same, and
   * what was learned is saved for the base as it is.
   */
  @Test
  void trainsWhatCalderaHasApart() throws IOException {
    quantize(QuipFormat.caldera(2, 8), "caldera", data(20), event -> {});
    assertThat(folder.resolve("caldera/config.json"))
        .content()
        .contains("\"quant_method\" : \"nibble-quip\"", "\"rank\" : 8");
    String base = "base_model=" + folder.resolve("caldera");
    Path started = folder.resolve("on-caldera");
    Path plain = folder.resolve("beside-caldera");
    train(
        "qlora.yaml",
        base,
        "adapter=lora",
        "max_steps=4",
        "lora_r=4",
        "lora_dropout=0",
        "output_dir=" + plain);
    train(
        "qlora.yaml",
        base,
        "adapter=lora",
        "max_steps=4",
        "lora_r=4",
        "lora_dropout=0",
        "peft_init_lora_weights=caldera",
        "output_dir=" + started);
    assertThat(firstLoss(started)).isCloseTo(firstLoss(plain), within(1e-3));
    assertThat(started.resolve("adapter_config.json")).content().contains("\"r\": 8");
    Nibble.silent()
        .exporter(ModelSource.tuned(started))
        .write(ExportFormat.Merged.standard(), folder.resolve("merged-caldera"));
    assertThatThrownBy(() ->
            train(
                "qlora.yaml",
                base,
                "adapter=lora",
                "lora_r=16",
                "peft_init_lora_weights=caldera",
                "output_dir=" + folder.resolve("too-wide")))
        .isInstanceOf(AdapterException.class)
        .hasMessageContaining("rank 16 is more than the 8 of model.layers.0.");
    assertThatThrownBy(() ->
            train(
                "qlora.yaml",
                "adapter=lora",
                "peft_init_lora_weights=caldera",
                "output_dir=" + folder.resolve("no-factors")))
        .isInstanceOf(AdapterException.class)
        .hasMessageContaining("has no low-rank product; give a base that `nibble quantize");
  }

  private static double firstLoss(Path run) throws IOException {
    return JsonMapper.shared()
        .readTree(Files.readAllLines(run.resolve("metrics.jsonl")).getFirst())
        .get("loss")
        .asDouble();
  }

  /**
   * Stopped in the middle by its listener, and given again: the same file, and no less work done.
   */
  @Test
  void goesOnWhereItWasStopped() throws IOException {
    quantize("whole", data(12), event -> {});
    assertThatThrownBy(() ->
            quantize(
                "stopped",
                data(12),
                event -> {
                  if (event instanceof Event.Working w
                      && w.activity() == Event.Activity.CALIBRATING
                      && 2 * w.done() > w.total()) {
                    throw new IllegalStateException("stopped");
                  }
                }))
        .hasMessage("stopped");
    assertThat(folder.resolve("stopped")).doesNotExist();
    assertThat(folder.resolve("stopped.tmp")).doesNotExist();
    assertThat(folder.resolve("stopped.calibration")).isDirectory();
    assertThatThrownBy(() -> quantize("stopped", data(11), event -> {}))
        .isInstanceOf(ExportException.class)
        .hasMessageContaining("stopped.calibration holds the beginning of a quantisation");
    quantize("stopped", data(12), event -> {});
    assertThat(folder.resolve("stopped.calibration")).doesNotExist();
    try (var files = Files.list(folder.resolve("whole"))) {
      for (Path file : files.toList()) {
        assertThat(folder.resolve("stopped").resolve(file.getFileName()))
            .hasSameBinaryContentAs(file);
      }
    }
  }

  @Test
  void refusesTooLittleDataAndNone() {
    assertThatThrownBy(() -> quantize("none", Optional.empty(), event -> {}))
        .isInstanceOf(ExportException.class)
        .hasMessageContaining("is fitted to data");
    assertThatThrownBy(() -> quantize("little", data(1), event -> {}))
        .isInstanceOf(UnusableWeight.class)
        .hasMessageContaining("give more calibration data");
    assertThat(folder.resolve("none")).doesNotExist();
    assertThat(folder.resolve("little")).doesNotExist();
    assertThat(folder.resolve("little.calibration")).doesNotExist();
  }
}
