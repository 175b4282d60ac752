package dev.nibble.api;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.nibble.api.event.Event;
import dev.nibble.api.export.ExportFormat;
import dev.nibble.api.export.Quantizer;
import dev.nibble.compute.tensor.DType;
import dev.nibble.compute.weights.Groups.Axis;
import dev.nibble.quant.WeightFormat;
import dev.nibble.quant.bnb.FourBitFormat;
import dev.nibble.quant.hqq.HqqFormat;
import dev.nibble.quant.int8.Int8Format;
import dev.nibble.recipes.recipe.Recipe;
import dev.nibble.recipes.recipe.RecipeException;
import dev.nibble.recipes.recipe.Recipes;
import dev.nibble.trainer.export.ExportException;
import dev.nibble.trainer.run.RunException;
import dev.nibble.trainer.train.Outcome;
import dev.nibble.trainer.train.StopRequest;
import dev.nibble.trainer.train.TrainingException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** From a recipe to a trained model, with everything real but the size. */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class TunerTest {
  private Path folder = Path.of("");
  private final List<Event> events = new ArrayList<>();
  private final Nibble nibble = Nibble.reportingTo(events::add);

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
    return nibble.tuner(recipe(name, sets)).train(start, new StopRequest());
  }

  /** What was told of the latest model that was loaded. */
  private List<Event.Working> loading() {
    List<Event.Working> loading = new ArrayList<>();
    for (Event event : events) {
      if (event instanceof Event.Working w && w.activity() == Event.Activity.LOADING_MODEL) {
        if (w.total() == 0) {
          loading.clear();
        }
        loading.add(w);
      }
    }
    return loading;
  }

  private <E extends Event> E last(Class<E> kind) {
    return events.stream().filter(kind::isInstance).map(kind::cast).toList().getLast();
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
            "answers.jsonl",
            "eval.json",
            "loss.svg",
            "metrics.jsonl",
            "provenance.json",
            "recipe.resolved.yaml")) {
      assertThat(run.resolve(file)).exists();
    }
    assertThat(Files.readString(run.resolve("eval.json"))).contains("before", "after", "baseline");
    assertThat(Files.readAllLines(run.resolve("answers.jsonl")))
        .hasSize(8)
        .allMatch(line -> line.contains("\"before\"") && line.contains("\"baseline\""));
    assertThat(Files.readAllLines(run.resolve("metrics.jsonl"))).hasSize(8 + 2);
    assertThat(Recipes.read(run.resolve("recipe.resolved.yaml"), List.of()))
        .isEqualTo(recipe("qlora.yaml", out));
    assertThat(last(Event.KernelsOpened.class).description()).contains("cpu");
    assertThat(last(Event.ModelFound.class).weights()).isPositive();
    List<Event.Working> loading = loading();
    assertThat(loading).extracting(Event.Working::done).isSorted();
    assertThat(loading.getLast().done()).isPositive().isEqualTo(loading.getLast().total());
    assertThat(last(Event.RunPrepared.class).plan().steps()).isEqualTo(8);
    assertThat(last(Event.LoopReport.class).report().step()).isEqualTo(8);
    assertThat(last(Event.AnswersMeasured.class).occasion()).isEqualTo(Event.Occasion.BASELINE);

    Path moved = Files.move(run, folder.resolve("moved"));
    try (Model model = nibble.open(ModelSource.tuned(moved))) {
      assertThat(model.validationLoss()).isPresent();
      assertThat(model.answerAccuracy()).isPresent();
      Prompt prompt = new Prompt.Row("", "star number 3");
      List<String> parts = new ArrayList<>();
      String answer = model.generate(prompt, Sampling.greedy().upTo(4), parts::add);
      assertThat(String.join("", parts)).isEqualTo(answer).isNotEmpty();
      assertThat(model.generate(prompt, Sampling.greedy().upTo(4))).isEqualTo(answer);
    }
  }

  @Test
  void usingOrEstimatingAnAdapterWarnsOfKeysThatAreIgnored() throws IOException {
    Path run = folder.resolve("foreign");
    train(
        "qlora.yaml",
        new ExistingRunPolicy.Anew(),
        "output_dir=" + run,
        "max_steps=1",
        "eval_steps=1");
    Path config = run.resolve("adapter_config.json");
    Files.writeString(config, Files.readString(config).replaceFirst("\\{", "{\"surprise\": 5,"));
    String expected = config + ": left out surprise";
    events.clear();
    nibble.open(ModelSource.tuned(run)).close();
    assertThat(last(Event.Warned.class).text()).contains(expected);
    events.clear();
    Files.writeString(
        folder.resolve("continued.yaml"),
        Files.readString(folder.resolve("qlora.yaml")).replaceAll("lora_(r|dropout): .*\n", ""));
    nibble.estimate(recipe("continued.yaml", "lora_model_dir=" + run));
    assertThat(last(Event.Warned.class).text()).contains(expected);
  }

  @Test
  void goesOnToTheBitAfterAnInterruption() throws IOException {
    String whole = "output_dir=" + folder.resolve("whole");
    String parts = "output_dir=" + folder.resolve("parts");
    train("qlora.yaml", new ExistingRunPolicy.Anew(), whole);
    StopRequest stopAtOnce = new StopRequest();
    stopAtOnce.request();
    Outcome first =
        nibble.tuner(recipe("qlora.yaml", parts)).train(new ExistingRunPolicy.Anew(), stopAtOnce);
    assertThat(first).isInstanceOf(Outcome.Interrupted.class);
    assertThat(first.step()).isEqualTo(1);
    assertThat(folder.resolve("parts/checkpoint-1")).exists();
    assertThat(folder.resolve("parts/adapter_model.safetensors")).doesNotExist();
    train("qlora.yaml", new ExistingRunPolicy.Resume(Optional.empty()), parts);
    for (String file : List.of("adapter_model.safetensors", "eval.json", "answers.jsonl")) {
      assertThat(Files.readAllBytes(folder.resolve("parts").resolve(file)))
          .as(file)
          .isEqualTo(Files.readAllBytes(folder.resolve("whole").resolve(file)));
    }
    assertThat(Files.readAllLines(folder.resolve("parts/metrics.jsonl"))).hasSize(8 + 2);
  }

  @Test
  void weightsThatOverflowAreNotSaved() {
    Path out = folder.resolve("overflow");
    assertThatThrownBy(() ->
            train(
                "qlora.yaml",
                new ExistingRunPolicy.Anew(),
                "output_dir=" + out,
                "answer_eval=",
                "optimizer=sgd",
                "max_grad_norm=0",
                "warmup_ratio=0",
                "learning_rate=1e42",
                "max_steps=1"))
        .isInstanceOf(TrainingException.class)
        .hasMessageContaining("the update of step 1")
        .hasMessageContaining("weights that are not finite");
    assertThat(out.resolve("adapter_model.safetensors")).doesNotExist();
    assertThat(out.resolve("checkpoint-1")).doesNotExist();
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
    train(optimizer, new ExistingRunPolicy.Anew(), new StopRequest(), sets);
    String parts = optimizer + "-parts";
    StopRequest stopAtOnce = new StopRequest();
    stopAtOnce.request();
    train(parts, new ExistingRunPolicy.Anew(), stopAtOnce, sets);
    train(parts, new ExistingRunPolicy.Resume(Optional.empty()), new StopRequest(), sets);
    for (String file : List.of("adapter_model.safetensors", "checkpoint-4/optimizer.safetensors")) {
      assertThat(folder.resolve(parts).resolve(file))
          .hasSameBinaryContentAs(folder.resolve(optimizer).resolve(file));
    }
    assertThat(folder.resolve(parts).resolve("optimizer.pages")).doesNotExist();
  }

  private void train(String out, ExistingRunPolicy start, StopRequest stop, List<String> sets) {
    List<String> all = new ArrayList<>(sets);
    all.add("output_dir=" + folder.resolve(out));
    nibble.tuner(recipe("qlora.yaml", all.toArray(String[]::new))).train(start, stop);
  }

  @Test
  void aPagedOptimizerGivesTheBitsOfOneThatIsNot() throws IOException {
    List<String> sets = List.of("answer_eval=", "max_steps=3", "lora_r=64");
    train("kept", new ExistingRunPolicy.Anew(), new StopRequest(), sets);
    List<String> paged = new ArrayList<>(sets);
    paged.addAll(List.of("optimizer=paged_adamw", "paged_optimizer_memory=100KB"));
    train("passed", new ExistingRunPolicy.Anew(), new StopRequest(), paged);
    for (String file : List.of("adapter_model.safetensors", "checkpoint-3/optimizer.safetensors")) {
      assertThat(folder.resolve("passed").resolve(file))
          .hasSameBinaryContentAs(folder.resolve("kept").resolve(file));
    }
    assertThat(last(Event.RunPrepared.class).optimizerBytes()).isGreaterThan(100_000);
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
        .hasMessageContaining("seed: 42 there, 1 now");
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
    List<PreviewedRow> rows = new ArrayList<>();
    nibble.preview(recipe("qlora.yaml")).read(1, rows::add);
    PreviewedRow.Sample sample = (PreviewedRow.Sample) rows.getFirst();
    assertThat(sample.text())
        .containsExactly(
            new PreviewedRow.Part("animal number 0:\n", false),
            new PreviewedRow.Part("animal<|endoftext|>", true));
    assertThat(last(Event.DataRead.class).train().rows()).isEqualTo(36);
    assertThat(last(Event.DataRead.class).validation().orElseThrow().rows()).isEqualTo(4);
  }

  private Path quantized(String name) {
    return quantized(name, new FourBitFormat(FourBitFormat.QuantType.NF4, 64, true));
  }

  private Path quantized(String name, WeightFormat format) {
    Path out = folder.resolve(name);
    Quantizer.Result result =
        nibble.quantize(
            new Quantizer.Request(
                folder.resolve("model"),
                out,
                false,
                format,
                Optional.empty(),
                DType.BF16,
                List.of(),
                100_000,
                0));
    assertThat(result.quantized()).isEqualTo(result.linearMaps()).isEqualTo(14);
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
    assertThat(last(Event.ModelFound.class).quantized()).isTrue();
  }

  /** From key and from folder: the same adapter, which merges onto the weights it trained on. */
  @Test
  void aBaseIn8BitsGivesTheSameAdapter() throws IOException {
    sameAdapter("int8", new Int8Format(16), "load_in_8bit=true", "int8_group_size=16");
  }

  @Test
  void aBaseInHqqGivesTheSameAdapter() throws IOException {
    for (int bits : new int[] {4, 3, 1}) {
      for (Axis axis : Axis.values()) {
        sameAdapter(
            "hqq" + bits + axis,
            new HqqFormat(bits, 16, axis, true, HqqFormat.Metadata.F16),
            "hqq_bits=" + bits,
            "hqq_group_size=16",
            "hqq_axis=" + axis.name().toLowerCase(Locale.ROOT));
      }
    }
  }

  /** Scales and zero points in 8 bits have no checkpoint, but train. */
  @Test
  void hqqTrainsOnQuantizedMetadata() {
    assertThat(
            train(
                "qlora.yaml",
                new ExistingRunPolicy.Anew(),
                "output_dir=" + folder.resolve("hqq-metadata"),
                "max_steps=3",
                "adapter=lora",
                "answer_eval=",
                "hqq_bits=2",
                "hqq_quantized_metadata=true"))
        .isInstanceOf(Outcome.Finished.class);
  }

  private void sameAdapter(String name, WeightFormat format, String... keys) throws IOException {
    Path base = quantized("model-" + name, format);
    List<String> common = List.of("max_steps=3", "adapter=lora", "answer_eval=");
    for (String run : List.of("stored-", "made-")) {
      List<String> sets = new ArrayList<>(common);
      sets.add("output_dir=" + folder.resolve(run + name));
      if (run.equals("stored-")) {
        sets.add("base_model=" + base);
      } else {
        sets.addAll(List.of(keys));
      }
      train("qlora.yaml", new ExistingRunPolicy.Anew(), sets.toArray(String[]::new));
      nibble
          .exporter(ModelSource.tuned(folder.resolve(run + name)))
          .write(ExportFormat.Merged.standard(), folder.resolve(run + name + "-merged"));
    }
    String stored = "stored-" + name;
    String made = "made-" + name;
    assertThat(folder.resolve(stored + "/adapter_model.safetensors"))
        .hasSameBinaryContentAs(folder.resolve(made + "/adapter_model.safetensors"));
    Recipe again = Recipes.read(folder.resolve(stored + "/recipe.resolved.yaml"), List.of());
    assertThat(again.model().quantization()).contains(format);
    assertThat(folder.resolve(stored + "-merged/model.safetensors"))
        .hasSameBinaryContentAs(folder.resolve(made + "-merged/model.safetensors"));
    assertThat(folder.resolve(stored + "-merged/config.json"))
        .content()
        .doesNotContain("quantization_config");
  }

  @Test
  void keysFollowABaseIn8Bits() {
    String base = "base_model=" + quantized("keys-int8", new Int8Format(16));
    assertThatThrownBy(() -> recipe("qlora.yaml", base))
        .hasMessageContaining("adapter: the base is in 8 bits already; write lora");
    assertThatThrownBy(() ->
            recipe("qlora.yaml", base, "adapter=lora", "load_in_8bit=true", "int8_group_size=32"))
        .hasMessageContaining(
            "int8_group_size: the base is in 8 bits already, with 16; remove the key");
    assertThatThrownBy(() ->
            train(
                "qlora.yaml",
                new ExistingRunPolicy.Anew(),
                "output_dir=" + folder.resolve("no-int8"),
                "adapter=lora",
                "load_in_8bit=true",
                "int8_group_size=7"))
        .hasMessageContaining("which groups of 7 do not divide");
  }

  @Test
  void keysFollowABaseInHqq() {
    String base =
        "base_model="
            + quantized(
                "keys-hqq", new HqqFormat(2, 16, Axis.INPUTS, true, HqqFormat.Metadata.F16));
    assertThatThrownBy(() -> recipe("qlora.yaml", base))
        .hasMessageContaining("adapter: the base is in HQQ already; write lora");
    assertThatThrownBy(() -> recipe("qlora.yaml", base, "adapter=lora", "hqq_bits=3"))
        .hasMessageContaining("hqq_bits: the base is in HQQ already, with 2; remove the key");
    assertThatThrownBy(() -> recipe("qlora.yaml", base, "adapter=lora", "load_in_8bit=true"))
        .hasMessageContaining("load_in_8bit: the base is in HQQ already, with false");
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
    Files.writeString(config, Files.readString(config).replace("\"bitsandbytes\"", "\"aqlm\""));
    assertThatThrownBy(() -> recipe("qlora.yaml", base))
        .isInstanceOf(RecipeException.class)
        .hasMessageContaining("base_model: " + config)
        .hasMessageContaining("quant_method\" is \"aqlm\"; supported: \"bitsandbytes\" in 4 bits");
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
            new Case(model, done, List.of(), "Overwrite it"),
            new Case(model, model, List.of(), "cannot be written over itself"),
            new Case(model, folder.resolve("new"), List.of("q"), "no linear layer 'q'"),
            new Case(
                model,
                folder.resolve("new"),
                List.of(
                    "q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj"),
                "nothing to quantise"))) {
      assertThatThrownBy(() ->
              nibble.quantize(
                  new Quantizer.Request(
                      c.model(),
                      c.out(),
                      false,
                      format,
                      Optional.empty(),
                      DType.BF16,
                      c.skip(),
                      1 << 20,
                      0)))
          .isInstanceOf(ExportException.class)
          .hasMessageContaining(c.message());
    }
    assertThat(folder.resolve("new")).doesNotExist();
  }
}
