package dev.nibble.api;

import static org.assertj.core.api.Assertions.assertThat;

import dev.nibble.api.export.Calibration;
import dev.nibble.api.export.ExportFormat;
import dev.nibble.api.export.ExportFormat.Onto;
import dev.nibble.api.export.Quantizer;
import dev.nibble.api.plan.PlanBudget;
import dev.nibble.api.plan.PlanRequest;
import dev.nibble.compute.kernels.Kernels;
import dev.nibble.compute.safetensors.Safetensors;
import dev.nibble.compute.safetensors.SafetensorsFile;
import dev.nibble.compute.tensor.DType;
import dev.nibble.compute.tensor.Scope;
import dev.nibble.compute.tensor.Tensor;
import dev.nibble.compute.weights.FrozenMatrix;
import dev.nibble.compute.weights.Groups.Axis;
import dev.nibble.quant.CalibratedFormat;
import dev.nibble.quant.CheckpointLayout;
import dev.nibble.quant.WeightFormat;
import dev.nibble.quant.awq.AwqFormat;
import dev.nibble.quant.bnb.FourBitFormat;
import dev.nibble.quant.gptq.GptqFormat;
import dev.nibble.quant.hqq.HqqFormat;
import dev.nibble.quant.int8.Int8Format;
import dev.nibble.quant.quip.QuipFormat;
import dev.nibble.quant.spqr.SpqrFormat;
import dev.nibble.recipes.recipe.Recipe;
import dev.nibble.recipes.recipe.Recipes;
import dev.nibble.trainer.export.gguf.GgufType;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Runs on a base in each format become whole models, in Hugging Face's layout and in GGUF. */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
final class FormatExportTest {
  private final Nibble nibble = Nibble.silent();
  private Path folder = Path.of("");

  @BeforeAll
  void pretrain(@TempDir Path temp) throws IOException {
    folder = temp;
    TinyRun.in(folder);
    nibble.tuner(recipe("pretrain.yaml")).train();
  }

  /** AWQ as a file has it, without the scaling of inputs that the method does before. */
  private record PlainAwq(AwqFormat awq) implements WeightFormat {
    @Override
    public String name() {
      return awq.name();
    }

    @Override
    public String describe() {
      return awq.describe();
    }

    @Override
    public double bitsPerWeight() {
      return awq.bitsPerWeight();
    }

    @Override
    public Allocator allocator(Kernels kernels, Scope scope) {
      return awq.allocator(kernels, scope);
    }

    @Override
    public void encode(Kernels kernels, FrozenMatrix out, Tensor in) {
      kernels.products().encode(out, in);
    }

    @Override
    public CheckpointLayout layout() {
      return awq.layout();
    }
  }

  private Recipe recipe(String name, String... sets) {
    return Recipes.read(folder.resolve(name), List.of(sets));
  }

  static Stream<WeightFormat> stored() {
    return Stream.of(
        new FourBitFormat(FourBitFormat.QuantType.NF4, 64, true),
        new Int8Format(16),
        new HqqFormat(3, 16, Axis.OUTPUTS, true, HqqFormat.Metadata.F16),
        new GptqFormat(4, 16),
        new PlainAwq(new AwqFormat(16)),
        new SpqrFormat(3, 16).with(Double.POSITIVE_INFINITY, SpqrFormat.DEFAULT_DAMPING),
        new SpqrFormat(3, 16).with(0.1, SpqrFormat.DEFAULT_DAMPING), // some of which are outliers
        QuipFormat.quip(3).with(1, QuipFormat.DEFAULT_DAMPING),
        QuipFormat.caldera(2, 8).with(1, QuipFormat.DEFAULT_DAMPING));
  }

  @ParameterizedTest
  @MethodSource("stored")
  void aBaseStoredInIt(WeightFormat format, @TempDir Path out) throws IOException {
    Path base = out.resolve("model");
    nibble.quantize(
        new Quantizer.Request(
            folder.resolve("model"),
            base,
            false,
            format,
            format instanceof CalibratedFormat
                ? Optional.of(new Calibration(recipe("qlora.yaml"), 20))
                : Optional.empty(),
            DType.BF16,
            List.of(),
            1 << 30,
            0));
    assertThat(base.resolve("config.json")).content().contains("quantization_config");
    try (SafetensorsFile file = Safetensors.open(base.resolve("model.safetensors"))) {
      assertThat(file.names().stream().anyMatch(name -> name.endsWith(".outlier_values")))
          .isEqualTo(format.describe().contains("outliers above"));
    }
    String adapter = format instanceof FourBitFormat ? "qlora" : "lora";
    exportsWhole(out, "base_model=" + base, "adapter=" + adapter);
  }

  @Test
  void aBaseByPlan(@TempDir Path out) {
    Path plan = out.resolve("plan.json");
    nibble.plan(
        new PlanRequest(
            recipe("qlora.yaml"),
            List.of("nf4", "nf3", "hqq-2-g16", "int8-g16"),
            new PlanBudget.Bits(4),
            200,
            plan,
            false));
    exportsWhole(out, "quantization_plan=" + plan);
  }

  /**
   * The merged model agrees with base and adapter, or is not written; its weights in float32 are
   * those of the GGUF file.
   */
  private void exportsWhole(Path out, String... base) {
    List<String> sets = new ArrayList<>(List.of(base));
    sets.addAll(List.of("output_dir=" + out.resolve("run"), "max_steps=4", "answer_eval="));
    nibble.tuner(recipe("qlora.yaml", sets.toArray(String[]::new))).train();
    ModelSource tuned = ModelSource.tuned(out.resolve("run"));
    Path merged = out.resolve("merged/model"); // a name that GGUF takes over
    nibble
        .exporter(tuned)
        .write(
            new ExportFormat.Merged(Onto.TRAINED, DType.F32, 1 << 30, Optional.of(1e-6)), merged);
    assertThat(merged.resolve("config.json")).content().doesNotContain("quantization_config");
    ExportFormat.Gguf gguf = new ExportFormat.Gguf(GgufType.F32, Onto.TRAINED);
    nibble.exporter(tuned).write(gguf, out.resolve("run.gguf"));
    nibble
        .exporter(
            ModelSource.untrained(
                recipe("qlora.yaml", "base_model=" + merged, "load_in_4bit=", "adapter=lora")))
        .write(gguf, out.resolve("merged.gguf"));
    assertThat(out.resolve("run.gguf")).hasSameBinaryContentAs(out.resolve("merged.gguf"));
    nibble
        .exporter(tuned)
        .write(new ExportFormat.Gguf(GgufType.Q8_0, Onto.TRAINED), out.resolve("small.gguf"));
    assertThat(out.resolve("small.gguf")).isRegularFile();
  }
}
