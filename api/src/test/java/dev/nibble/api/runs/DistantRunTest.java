package dev.nibble.api.runs;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import dev.nibble.compute.tensor.DType;
import dev.nibble.quant.bnb.FourBitFormat;
import dev.nibble.recipes.recipe.Recipes;
import dev.nibble.trainer.export.gguf.GgufType;
import dev.nibble.trainer.generate.Sampler;
import dev.nibble.trainer.train.StopRequest;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
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
  private final ByteArrayOutputStream shown = new ByteArrayOutputStream();
  private final Output console =
      new PlainOutput(new PrintStream(shown, true, StandardCharsets.UTF_8));

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
      String recipe, String out, StopSignals stops, ExistingRunPolicy start, List<String> sets) {
    List<String> all = new ArrayList<>(sets);
    all.add("output_dir=" + folder.resolve(out));
    new TrainRun(Recipes.read(folder.resolve(recipe), all), console, report -> {}, stops)
        .run(start);
  }

  private void pretrain(String out, String... sets) {
    train("pretrain.yaml", out, StopSignals.NEVER, new ExistingRunPolicy.Anew(), List.of(sets));
  }

  private RunSubject trained(String out) {
    Path run = folder.resolve(out);
    return new RunSubject(
        Recipes.read(run.resolve("recipe.resolved.yaml"), List.of()), Optional.of(run));
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
    StopSignals atOnce =
        (stop, training) -> {
          stop.request(StopRequest.Signal.INT);
          return training.get();
        };
    train("qlora.yaml", near, StopSignals.NEVER, new ExistingRunPolicy.Anew(), sets);
    use(near);
    far(() -> {
      train("qlora.yaml", far, atOnce, new ExistingRunPolicy.Anew(), sets);
      train(
          "qlora.yaml",
          far,
          StopSignals.NEVER,
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
    RunSubject subject = trained(run);
    Path out = folder.resolve(run);
    new EvalRun(subject, console).run(Optional.of(out.resolve("logits.safetensors")));
    new GenerateRun(subject, console)
        .run(
            new GenerateRun.Request(
                new GenerateRun.Prompt.Plain("star number 3"), 4, new Sampler.Greedy(), 0));
    ExportRun export = new ExportRun(subject, console);
    export.run(
        new ExportRun.Request(
            new ExportRun.Format.Merged(
                ExportRun.Onto.TRAINED, DType.BF16, 1 << 30, Optional.of(1e-2)),
            out.resolve("merged"),
            false));
    export.run(
        new ExportRun.Request(
            new ExportRun.Format.Gguf(GgufType.Q8_0, ExportRun.Onto.ORIGINAL),
            out.resolve("merged.gguf"),
            false));
  }

  @Test
  void quantizing() {
    quantize("near-nf4");
    far(() -> quantize("far-nf4"));
    assertSameFiles("near-nf4", "far-nf4", "model.safetensors");
  }

  private void quantize(String out) {
    FourBitFormat nf4 = new FourBitFormat(FourBitFormat.QuantType.NF4, 64, true);
    new QuantizeRun(
            new QuantizeRun.Request(
                folder.resolve("model"),
                folder.resolve(out),
                false,
                nf4,
                DType.BF16,
                List.of(),
                1 << 30,
                0),
            console)
        .run();
  }

  @Test
  void lossesInBfloat16AreWithinAHundredth() throws IOException {
    List<String> few = List.of("max_steps=2", "gradient_accumulation_steps=1", "answer_eval=");
    List<String> exactly = new ArrayList<>(few);
    exactly.add("bf16=false");
    train("qlora.yaml", "f32", StopSignals.NEVER, new ExistingRunPolicy.Anew(), exactly);
    DistantSet.alone(
        DistantSet.InBf16.class,
        folder,
        () -> train("qlora.yaml", "bf16", StopSignals.NEVER, new ExistingRunPolicy.Anew(), few));
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
