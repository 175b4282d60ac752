package dev.nibble.api;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import dev.nibble.api.compare.ComparisonRequest;
import dev.nibble.api.compare.FormatFigures;
import dev.nibble.api.export.ExportFormat;
import dev.nibble.api.export.Exporter;
import dev.nibble.api.export.Quantizer;
import dev.nibble.compute.tensor.DType;
import dev.nibble.quant.bnb.FourBitFormat;
import dev.nibble.recipes.recipe.Recipes;
import dev.nibble.trainer.export.gguf.GgufType;
import dev.nibble.trainer.train.StopRequest;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Whole runs in memory that Java cannot touch give what runs on the host give. */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class DistantRunTest {
  private static final Pattern LOSS = Pattern.compile("\"loss\": ?([0-9.eE+-]+)");

  private Path folder = Path.of("");

  @BeforeAll
  void begin(@TempDir Path temp) throws IOException {
    folder = temp;
    TinyRun.in(folder);
    pretrain("model");
  }

  private void far(Runnable run) {
    DistantSet.alone(DistantSet.class, folder, run);
  }

  private void train(
      String recipe, String out, StopRequest stops, ExistingRunPolicy start, List<String> sets) {
    List<String> all = new ArrayList<>(sets);
    all.add("output_dir=" + folder.resolve(out));
    Nibble.silent().tuner(Recipes.read(folder.resolve(recipe), all)).train(start, stops);
  }

  private void pretrain(String out, String... sets) {
    train("pretrain.yaml", out, new StopRequest(), new ExistingRunPolicy.Anew(), List.of(sets));
  }

  private void assertSameFiles(String near, String far, String... names) {
    for (String name : names) {
      assertThat(folder.resolve(far).resolve(name))
          .hasSameBinaryContentAs(folder.resolve(near).resolve(name));
    }
  }

  @Test
  void allWeights() {
    pretrain("near-all", "save_dtype=bf16");
    far(() -> pretrain("far-all", "save_dtype=bf16"));
    assertSameFiles(
        "near-all",
        "far-all",
        "model.safetensors",
        "checkpoint-6/model.safetensors",
        "checkpoint-6/optimizer.safetensors");
  }

  static Stream<List<String>> adapters() {
    return Stream.of(
        List.of("max_steps=4"),
        List.of("max_steps=2", "answer_eval=", "peft_use_dora=true"),
        List.of("max_steps=2", "answer_eval=", "peft_init_lora_weights=pissa"),
        List.of(
            "max_steps=2",
            "answer_eval=",
            "lora_target_modules=[embed_tokens, lm_head, q_proj]",
            "lora_modules_to_save=[norm]"));
  }

  /** Stopped after a step and resumed, measured and exported. */
  @ParameterizedTest
  @MethodSource("adapters")
  void anAdapter(List<String> sets) {
    String near = "near-" + sets.hashCode();
    String far = "far-" + sets.hashCode();
    StopRequest atOnce = new StopRequest();
    atOnce.request();
    train("qlora.yaml", near, new StopRequest(), new ExistingRunPolicy.Anew(), sets);
    use(near);
    far(() -> {
      train("qlora.yaml", far, atOnce, new ExistingRunPolicy.Anew(), sets);
      train(
          "qlora.yaml",
          far,
          new StopRequest(),
          new ExistingRunPolicy.Resume(Optional.empty()),
          sets);
      use(far);
    });
    String last = "checkpoint-" + sets.getFirst().charAt("max_steps=".length());
    assertSameFiles(
        near,
        far,
        last + "/adapter_model.safetensors",
        last + "/optimizer.safetensors",
        "adapter_model.safetensors",
        "logits.safetensors",
        "merged/model.safetensors",
        "merged.gguf");
  }

  private void use(String run) {
    Path out = folder.resolve(run);
    ModelSource source = ModelSource.tuned(out);
    try (Model model = Nibble.silent().open(source)) {
      model.validationLoss();
      model.saveLogits(out.resolve("logits.safetensors"));
      model.answerAccuracy();
      model.generate(new Prompt.Text("star number 3"), Sampling.greedy().upTo(4));
    }
    Exporter exporter = Nibble.silent().exporter(source);
    exporter.write(ExportFormat.Merged.standard(), out.resolve("merged"));
    exporter.write(
        new ExportFormat.Gguf(GgufType.Q8_0, ExportFormat.Onto.ORIGINAL),
        out.resolve("merged.gguf"));
  }

  /** Bytes, errors and perplexities; times differ. */
  @Test
  void comparing() {
    List<List<Double>> near = compared("near-formats");
    assertThat(near).hasSize(4);
    far(() -> assertThat(compared("far-formats")).isEqualTo(near));
  }

  private List<List<Double>> compared(String out) {
    return Nibble.silent()
        .compare(
            new ComparisonRequest(
                Recipes.read(folder.resolve("qlora.yaml"), List.of("max_steps=2")),
                List.of("hqq-2", "nf3", "gptq-2-g16"),
                true,
                folder.resolve(out)))
        .formats()
        .stream()
        .map(format -> {
          FormatFigures base = format.base().orElseThrow();
          return List.of(
              (double) base.bytes(),
              base.weightError(),
              base.outputError().orElseThrow(),
              base.perplexity(),
              format.trained().orElseThrow().perplexity());
        })
        .toList();
  }

  @Test
  void quantizing() {
    quantize("near-nf4");
    far(() -> quantize("far-nf4"));
    assertSameFiles("near-nf4", "far-nf4", "model.safetensors");
  }

  private void quantize(String out) {
    FourBitFormat nf4 = new FourBitFormat(FourBitFormat.QuantType.NF4, 64, true);
    Nibble.silent()
        .quantize(
            new Quantizer.Request(
                folder.resolve("model"),
                folder.resolve(out),
                false,
                nf4,
                Optional.empty(),
                DType.BF16,
                List.of(),
                1 << 30,
                0));
  }

  @Test
  void lossesInBfloat16AreWithinAHundredth() throws IOException {
    List<String> few = List.of("max_steps=2", "gradient_accumulation_steps=1", "answer_eval=");
    List<String> exactly = new ArrayList<>(few);
    exactly.add("bf16=false");
    train("qlora.yaml", "f32", new StopRequest(), new ExistingRunPolicy.Anew(), exactly);
    DistantSet.alone(
        DistantSet.InBf16.class,
        folder,
        () -> train("qlora.yaml", "bf16", new StopRequest(), new ExistingRunPolicy.Anew(), few));
    List<Double> exact = losses("f32");
    List<Double> rounded = losses("bf16");
    assertThat(rounded).hasSize(2).isNotEqualTo(exact);
    for (int i = 0; i < 2; i++) {
      assertThat(rounded.get(i)).isCloseTo(exact.get(i), within(0.01 * exact.get(i)));
    }
  }

  private List<Double> losses(String run) throws IOException {
    return LOSS.matcher(Files.readString(folder.resolve(run).resolve("metrics.jsonl")))
        .results()
        .map(found -> Double.valueOf(found.group(1)))
        .toList();
  }
}
