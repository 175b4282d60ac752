package dev.nibble.api.runs;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.nibble.compute.tensor.DType;
import dev.nibble.quant.bnb.FourBitFormat;
import dev.nibble.recipes.recipe.Recipe;
import dev.nibble.recipes.recipe.RecipeException;
import dev.nibble.recipes.recipe.Recipes;
import dev.nibble.trainer.export.ExportException;
import dev.nibble.trainer.generate.Sampler;
import dev.nibble.trainer.run.RunException;
import dev.nibble.trainer.train.Outcome;
import dev.nibble.trainer.train.StopRequest;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** From a recipe to a trained model, with everything real but the size. */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class TrainRunTest {
  private Path folder = Path.of("");
  private final ByteArrayOutputStream shown = new ByteArrayOutputStream();
  private final Output console =
      new PlainOutput(new PrintStream(shown, true, StandardCharsets.UTF_8));

  @BeforeAll
  void pretrain(@TempDir Path temp) throws IOException {
    folder = temp;
    TinyRun.in(folder);
    assertThat(train("pretrain.yaml", new ExistingRunPolicy.Anew()))
        .isInstanceOf(Outcome.Finished.class);
    assertThat(folder.resolve("model")).isDirectoryContaining("glob:**/model.safetensors");
    assertThat(folder.resolve("model")).isDirectoryContaining("glob:**/tokenizer.json");
  }

  private Recipe recipe(String name, String... sets) {
    return Recipes.read(folder.resolve(name), List.of(sets));
  }

  private Outcome train(String name, ExistingRunPolicy start, String... sets) {
    return new TrainRun(recipe(name, sets), console, report -> {}, StopSignals.NEVER).run(start);
  }

  private String output() {
    return shown.toString(StandardCharsets.UTF_8);
  }

  @Test
  void trainsAnAdapterAndTellsHowMuchItHelped() throws IOException {
    String out = "output_dir=" + folder.resolve("tells");
    assertThat(train("qlora.yaml", new ExistingRunPolicy.Anew(), out))
        .isInstanceOf(Outcome.Finished.class);
    Path run = folder.resolve("tells");
    for (String file :
        List.of(
            "adapter_config.json",
            "adapter_model.safetensors",
            "checkpoint-8",
            "eval.json",
            "loss.svg",
            "metrics.jsonl",
            "provenance.json",
            "recipe.resolved.yaml")) {
      assertThat(run.resolve(file)).exists();
    }
    assertThat(Files.readString(run.resolve("eval.json"))).contains("before", "after", "baseline");
    assertThat(Files.readAllLines(run.resolve("metrics.jsonl"))).hasSize(8 + 2);
    assertThat(Recipes.read(run.resolve("recipe.resolved.yaml"), List.of()))
        .isEqualTo(recipe("qlora.yaml", out));
    assertThat(output())
        .contains("kernels", "NF4", "double quantisation", "LoRA r 4", "step 8 of 8", "baseline");

    Path moved = Files.move(run, folder.resolve("moved"));
    new EvalRun(trained(moved), console).run(Optional.empty());
    new GenerateRun(trained(moved), console)
        .run(
            new GenerateRun.Request(
                new GenerateRun.Prompt.AsRow("", "star number 3"), 4, new Sampler.Greedy(), 0));
  }

  private static RunSubject trained(Path run) {
    return new RunSubject(
        Recipes.read(run.resolve("recipe.resolved.yaml"), List.of()), Optional.of(run));
  }

  @Test
  void goesOnToTheBitAfterAnInterruption() throws IOException {
    String whole = "output_dir=" + folder.resolve("whole");
    String parts = "output_dir=" + folder.resolve("parts");
    train("qlora.yaml", new ExistingRunPolicy.Anew(), whole);
    StopSignals stopAtOnce =
        (stop, training) -> {
          stop.request(StopRequest.Signal.INT);
          return training.get();
        };
    Outcome first =
        new TrainRun(recipe("qlora.yaml", parts), console, report -> {}, stopAtOnce)
            .run(new ExistingRunPolicy.Anew());
    assertThat(first).isInstanceOf(Outcome.Interrupted.class);
    assertThat(first.step()).isEqualTo(1);
    assertThat(folder.resolve("parts/checkpoint-1")).exists();
    assertThat(folder.resolve("parts/adapter_model.safetensors")).doesNotExist();
    train("qlora.yaml", new ExistingRunPolicy.Resume(Optional.empty()), parts);
    for (String file : List.of("adapter_model.safetensors", "eval.json")) {
      assertThat(Files.readAllBytes(folder.resolve("parts").resolve(file)))
          .as(file)
          .isEqualTo(Files.readAllBytes(folder.resolve("whole").resolve(file)));
    }
    assertThat(Files.readAllLines(folder.resolve("parts/metrics.jsonl"))).hasSize(8 + 2);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {"adamw_8bit", "paged_adamw", "paged_adamw_8bit", "lion", "adafactor", "sgd"})
  void everyOptimizerGoesOnToTheBit(String optimizer) throws IOException {
    List<String> sets = new ArrayList<>(List.of("answer_eval=", "max_steps=4", "lora_r=64"));
    sets.add("optimizer=" + optimizer);
    if (optimizer.startsWith("paged")) {
      sets.add("paged_optimizer_memory=64KB");
    }
    if (optimizer.equals("sgd")) {
      sets.add("momentum=0.9");
    }
    train(optimizer, new ExistingRunPolicy.Anew(), StopSignals.NEVER, sets);
    String parts = optimizer + "-parts";
    StopSignals stopAtOnce =
        (stop, training) -> {
          stop.request(StopRequest.Signal.INT);
          return training.get();
        };
    train(parts, new ExistingRunPolicy.Anew(), stopAtOnce, sets);
    train(parts, new ExistingRunPolicy.Resume(Optional.empty()), StopSignals.NEVER, sets);
    for (String file : List.of("adapter_model.safetensors", "checkpoint-4/optimizer.safetensors")) {
      assertThat(folder.resolve(parts).resolve(file))
          .hasSameBinaryContentAs(folder.resolve(optimizer).resolve(file));
    }
    assertThat(folder.resolve(parts).resolve("optimizer.pages")).doesNotExist();
  }

  private void train(String out, ExistingRunPolicy start, StopSignals stop, List<String> sets) {
    List<String> all = new ArrayList<>(sets);
    all.add("output_dir=" + folder.resolve(out));
    new TrainRun(recipe("qlora.yaml", all.toArray(String[]::new)), console, report -> {}, stop)
        .run(start);
  }

  @Test
  void aPagedOptimizerGivesTheBitsOfOneThatIsNot() throws IOException {
    List<String> sets = List.of("answer_eval=", "max_steps=3", "lora_r=64");
    train("kept", new ExistingRunPolicy.Anew(), StopSignals.NEVER, sets);
    List<String> paged = new ArrayList<>(sets);
    paged.addAll(List.of("optimizer=paged_adamw", "paged_optimizer_memory=100KB"));
    train("passed", new ExistingRunPolicy.Anew(), StopSignals.NEVER, paged);
    for (String file : List.of("adapter_model.safetensors", "checkpoint-3/optimizer.safetensors")) {
      assertThat(folder.resolve("passed").resolve(file))
          .hasSameBinaryContentAs(folder.resolve("kept").resolve(file));
    }
    assertThat(output()).contains("of optimizer state, of which at most");
  }

  @Test
  void aFolderWithARunIsNotTouched() throws IOException {
    String out = "output_dir=" + folder.resolve("taken");
    train("qlora.yaml", new ExistingRunPolicy.Anew(), out, "answer_eval=", "max_steps=1");
    byte[] before = Files.readAllBytes(folder.resolve("taken/adapter_model.safetensors"));
    assertThatThrownBy(() -> train("qlora.yaml", new ExistingRunPolicy.Anew(), out, "answer_eval="))
        .isInstanceOf(RunException.class)
        .hasMessageContaining("verwrite it");
    assertThatThrownBy(() ->
            train(
                "qlora.yaml",
                new ExistingRunPolicy.Resume(Optional.empty()),
                out,
                "answer_eval=",
                "seed=1"))
        .isInstanceOf(RunException.class)
        .hasMessageContaining("another recipe");
    assertThat(
            Arrays.equals(
                before, Files.readAllBytes(folder.resolve("taken/adapter_model.safetensors"))))
        .isTrue();
    train("qlora.yaml", new ExistingRunPolicy.Overwrite(), out, "answer_eval=", "max_steps=2");
    assertThat(Files.readAllLines(folder.resolve("taken/metrics.jsonl"))).hasSize(2 + 1);
  }

  @Test
  void continuesFromAnAdapter() {
    String first = "output_dir=" + folder.resolve("first");
    train("qlora.yaml", new ExistingRunPolicy.Anew(), first, "answer_eval=", "max_steps=2");
    train(
        "qlora.yaml",
        new ExistingRunPolicy.Anew(),
        "output_dir=" + folder.resolve("second"),
        "lora_model_dir=" + folder.resolve("first"),
        "lora_r=",
        "lora_dropout=",
        "answer_eval=",
        "max_steps=1");
    assertThat(folder.resolve("second/adapter_model.safetensors")).exists();
  }

  @Test
  void sequencesLongerThanTheModelAllows() {
    assertThatThrownBy(() ->
            train(
                "qlora.yaml",
                new ExistingRunPolicy.Anew(),
                "sequence_len=256",
                "output_dir=" + folder.resolve("long")))
        .isInstanceOf(RecipeException.class)
        .hasMessageContaining("sequence_len: 256 is more than the 128 positions of the model");
    assertThat(folder.resolve("long")).doesNotExist();
  }

  @Test
  void previewMarksWhatIsLearned() {
    new Preview(recipe("qlora.yaml"), console).show(1, false);
    assertThat(output()).contains("animal number 0:\n[[animal<|endoftext|>]]", "40 rows");
  }

  private Path quantized(String name) {
    Path out = folder.resolve(name);
    new QuantizeRun(
            new QuantizeRun.Request(
                folder.resolve("model"),
                out,
                false,
                new FourBitFormat(FourBitFormat.QuantType.NF4, 64, true),
                DType.BF16,
                List.of(),
                100_000,
                0),
            console)
        .run();
    return out;
  }

  /** The weights are the same to the bit, and so is what is learned on them. */
  @Test
  void aBaseInFourBitsGivesTheSameAdapter() throws IOException {
    Path base = quantized("model-nf4");
    assertThat(base).isDirectoryContaining("glob:**/tokenizer.json");
    assertThat(base).isDirectoryContaining("glob:**/model.safetensors.index.json");
    String dense = "output_dir=" + folder.resolve("dense-base");
    String four = "output_dir=" + folder.resolve("nf4-base");
    train("qlora.yaml", new ExistingRunPolicy.Anew(), dense, "max_steps=3");
    train("qlora.yaml", new ExistingRunPolicy.Anew(), four, "max_steps=3", "base_model=" + base);
    assertThat(folder.resolve("nf4-base/adapter_model.safetensors"))
        .hasSameBinaryContentAs(folder.resolve("dense-base/adapter_model.safetensors"));
    assertThat(output())
        .contains("14 of 14 linear maps in NF4")
        .contains("linear layers in NF4, blocks of 64, double quantisation, as the base has them");
  }

  @Test
  void keysFollowABaseInFourBits() throws IOException {
    Path path = quantized("keys-nf4");
    String base = "base_model=" + path;
    assertThat(recipe("qlora.yaml", base, "bnb_4bit_quant_type=nf4").model().quantization())
        .isEqualTo(recipe("qlora.yaml", base).model().quantization());
    assertThatThrownBy(() ->
            recipe(
                "qlora.yaml",
                base,
                "bnb_4bit_quant_type=fp4",
                "bnb_4bit_use_double_quant=false",
                "bnb_4bit_blocksize=128"))
        .isInstanceOf(RecipeException.class)
        .hasMessageContaining(
            "bnb_4bit_quant_type: the base is in four bits already, with nf4; remove the key")
        .hasMessageContaining("bnb_4bit_use_double_quant: the base is in four bits already, with")
        .hasMessageContaining("bnb_4bit_blocksize: the base is in four bits already, with 64");
    for (String adapter : List.of("lora", "none")) {
      assertThatThrownBy(
              () -> recipe("pretrain.yaml", base, "init_weights=checkpoint", "adapter=" + adapter))
          .isInstanceOf(RecipeException.class)
          .hasMessageContaining("adapter: the base is in four bits already; write qlora");
    }
    Path config = path.resolve("config.json");
    Files.writeString(config, Files.readString(config).replace("\"bitsandbytes\"", "\"gptq\""));
    assertThatThrownBy(() -> recipe("qlora.yaml", base))
        .isInstanceOf(RecipeException.class)
        .hasMessageContaining("base_model: " + config)
        .hasMessageContaining("quant_method\" is \"gptq\"; supported: \"bitsandbytes\" in 4 bits");
  }

  @Test
  void quantizeRefusesWhatItCannotDo() {
    Path done = quantized("twice");
    Path model = folder.resolve("model");
    FourBitFormat format = new FourBitFormat(FourBitFormat.QuantType.NF4, 64, true);
    record Case(Path model, Path out, List<String> skip, String message) {}
    for (Case c :
        List.of(
            new Case(done, folder.resolve("new"), List.of(), "is quantised already: NF4"),
            new Case(model, done, List.of(), "--overwrite"),
            new Case(model, model, List.of(), "cannot be written over itself"),
            new Case(model, folder.resolve("new"), List.of("q"), "no linear map 'q'"),
            new Case(
                model,
                folder.resolve("new"),
                List.of(
                    "q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj"),
                "leaves nothing"))) {
      assertThatThrownBy(() ->
              new QuantizeRun(
                      new QuantizeRun.Request(
                          c.model(), c.out(), false, format, DType.BF16, c.skip(), 1 << 20, 0),
                      console)
                  .run())
          .isInstanceOf(ExportException.class)
          .hasMessageContaining(c.message());
    }
    assertThat(folder.resolve("new")).doesNotExist();
  }
}
