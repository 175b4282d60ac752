package dev.nibble.api;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.nibble.api.event.Event;
import dev.nibble.api.export.ExportFormat;
import dev.nibble.recipes.recipe.Recipes;
import dev.nibble.trainer.run.Provenance;
import dev.nibble.trainer.run.RunException;
import dev.nibble.trainer.train.Outcome;
import dev.nibble.trainer.train.StopRequest;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.LocalDateTime;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What a run's folder is good for besides its end: to be used, resumed, changed and prolonged. */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class StoppedRunTest {
  private static final ExistingRunPolicy RESUME = new ExistingRunPolicy.Resume(Optional.empty());

  private Path folder = Path.of("");
  private final List<Event> events = new ArrayList<>();
  private final Nibble nibble = Nibble.reportingTo(events::add);

  @BeforeAll
  void pretrain(@TempDir Path temp) throws IOException {
    folder = temp;
    TinyRun.in(folder);
    nibble.tuner(Recipes.read(folder.resolve("pretrain.yaml"), List.of())).train();
  }

  private Outcome train(String out, ExistingRunPolicy existing, StopRequest stop, String... more) {
    List<String> sets =
        new ArrayList<>(
            List.of(
                "answer_eval=",
                "gradient_accumulation_steps=1",
                "save_steps=1",
                "output_dir=" + folder.resolve(out)));
    sets.addAll(List.of(more));
    return nibble.tuner(Recipes.read(folder.resolve("qlora.yaml"), sets)).train(existing, stop);
  }

  private static StopRequest atOnce() {
    StopRequest stop = new StopRequest();
    stop.request();
    return stop;
  }

  private byte[] logits(Path place) throws IOException {
    Path file = folder.resolve("logits.safetensors");
    try (Model model = nibble.open(ModelSource.tuned(place))) {
      model.saveLogits(file);
    }
    return Files.readAllBytes(file);
  }

  /** An adapter whose start changed the base is converted in a checkpoint, too. */
  @ParameterizedTest
  @ValueSource(strings = {"true", "pissa", "olora", "loftq"})
  void aCheckpointIsAModel(String start) throws IOException {
    String out = "start-" + start;
    String[] sets = {"peft_init_lora_weights=" + start, "max_steps=2", "save_total_limit=2"};
    train(out, new ExistingRunPolicy.Anew(), new StopRequest(), sets);
    Path run = folder.resolve(out);
    assertThat(logits(run)).isEqualTo(logits(run.resolve("checkpoint-2")));
    assertThat(logits(run)).isNotEqualTo(logits(run.resolve("checkpoint-1")));

    String parts = out + "-parts";
    train(parts, new ExistingRunPolicy.Anew(), atOnce(), sets);
    Path stopped = folder.resolve(parts);
    assertThat(ModelSource.tuned(stopped).run()).contains(stopped.resolve("checkpoint-1"));
    assertThat(logits(stopped)).isEqualTo(logits(run.resolve("checkpoint-1")));
    LocalDateTime began = Provenance.read(stopped).orElseThrow().began();
    train(parts, RESUME, new StopRequest(), sets);
    assertThat(Provenance.read(stopped).orElseThrow().began())
        .as("the time that templates are told")
        .isEqualTo(began);
    assertThat(stopped.resolve("adapter_model.safetensors"))
        .hasSameBinaryContentAs(run.resolve("adapter_model.safetensors"));
  }

  @Test
  void aCheckpointOfAllWeightsIsAModel() throws IOException {
    Path run = folder.resolve("all-weights");
    nibble
        .tuner(
            Recipes.read(
                folder.resolve("pretrain.yaml"), List.of("max_steps=1", "output_dir=" + run)))
        .train();
    assertThat(logits(run)).isEqualTo(logits(run.resolve("checkpoint-1")));
  }

  @Test
  void filesCountByTheirContent() throws IOException {
    Path base = copy(folder.resolve("model"), folder.resolve("base-1"));
    Path rows = Files.copy(folder.resolve("rows.jsonl"), folder.resolve("rows-1.jsonl"));
    Path run = folder.resolve("content");
    String[] sets = {"base_model=" + base, "datasets.0.path=" + rows, "max_steps=2"};
    train("content", new ExistingRunPolicy.Anew(), atOnce(), sets);

    for (String file : List.of("model.safetensors", "tokenizer_config.json")) {
      Path changed = base.resolve(file);
      byte[] before = Files.readAllBytes(changed);
      byte[] after = before.clone();
      after[after.length - 2] ^= 1;
      Files.write(changed, after);
      assertThatThrownBy(() -> ModelSource.tuned(run))
          .isInstanceOf(RunException.class)
          .hasMessageContaining("was trained with another model")
          .hasMessageContaining("base_model: " + changed + " has changed: it had");
      assertThatThrownBy(() -> train("content", RESUME, new StopRequest(), sets))
          .isInstanceOf(RunException.class)
          .hasMessageContaining("base_model: " + changed + " has changed: it had");
      Files.write(changed, before);
    }
    byte[] before = Files.readAllBytes(rows);
    Files.writeString(rows, "\n", StandardOpenOption.APPEND);
    assertThatThrownBy(() -> train("content", RESUME, new StopRequest(), sets))
        .isInstanceOf(RunException.class)
        .hasMessageContaining("datasets.0.path: " + rows + " has changed");
    Files.write(rows, before);

    Path moved = Files.move(base, folder.resolve("base-2"));
    Path movedRows = Files.move(rows, folder.resolve("rows-2.jsonl"));
    assertThatThrownBy(() -> ModelSource.tuned(run))
        .isInstanceOf(RunException.class)
        .hasMessageContaining(base + ": there is no such folder");
    assertThat(ModelSource.tuned(run, List.of("base_model=" + moved)).run()).isPresent();
    assertThat(
            train(
                "content",
                RESUME,
                new StopRequest(),
                "base_model=" + moved,
                "datasets.0.path=" + movedRows,
                "max_steps=2"))
        .isInstanceOf(Outcome.Finished.class);
  }

  private static Path copy(Path from, Path to) throws IOException {
    try (Stream<Path> all = Files.walk(from)) {
      for (Path file : all.toList()) {
        Files.copy(file, to.resolve(from.relativize(file)));
      }
    }
    return to;
  }

  @Test
  void foldersOfRowsAndAnEarlierAdapterCountToo() throws IOException {
    train("start", new ExistingRunPolicy.Anew(), new StopRequest(), "max_steps=1");
    Path data = Files.createDirectories(folder.resolve("data"));
    Files.copy(folder.resolve("rows.jsonl"), data.resolve("train-1.jsonl"));
    Path start = folder.resolve("start");
    String[] sets = {
      "datasets.0.path=" + data,
      "lora_model_dir=" + start,
      "lora_r=",
      "lora_dropout=",
      "max_steps=2"
    };
    train("rows", new ExistingRunPolicy.Anew(), atOnce(), sets);
    Files.writeString(Files.createDirectories(data.resolve(".git")).resolve("HEAD"), "main");
    Files.copy(folder.resolve("rows.jsonl"), data.resolve("train-2.jsonl"));
    Files.write(
        start.resolve("adapter_model.safetensors"), new byte[] {0}, StandardOpenOption.APPEND);
    assertThatThrownBy(() -> train("rows", RESUME, new StopRequest(), sets))
        .isInstanceOf(RunException.class)
        .hasMessageContaining("datasets.0.path: " + data + "/train-2.jsonl was not there then")
        .hasMessageContaining("lora_model_dir: " + start + "/adapter_model.safetensors has changed")
        .hasMessageNotContaining(".git");
  }

  @Test
  void whatDoesNotChangeTheResultMayChange() {
    train("steady", new ExistingRunPolicy.Anew(), new StopRequest(), "max_steps=3");
    train("varied", new ExistingRunPolicy.Anew(), atOnce(), "max_steps=3");
    train(
        "varied",
        RESUME,
        new StopRequest(),
        "max_steps=3",
        "threads=1",
        "eval_steps=1",
        "eval_on_start=true",
        "gradient_checkpointing=true",
        "optimizer=paged_adamw",
        "paged_optimizer_memory=64KB",
        "save_total_limit=1");
    assertThat(folder.resolve("varied/adapter_model.safetensors"))
        .hasSameBinaryContentAs(folder.resolve("steady/adapter_model.safetensors"));
    assertThatThrownBy(
            () -> train("varied", RESUME, new StopRequest(), "max_steps=3", "learning_rate=1e-3"))
        .isInstanceOf(RunException.class)
        .hasMessageContaining("learning_rate: 0.01 there, 0.001 now");
  }

  /** The samples of a step would be the same, and their sums would round otherwise. */
  @Test
  void aStepKeepsItsMicroBatches() {
    train("parts", new ExistingRunPolicy.Anew(), atOnce(), "max_steps=3");
    assertThatThrownBy(() ->
            train(
                "parts",
                RESUME,
                new StopRequest(),
                "max_steps=3",
                "micro_batch_size=1",
                "gradient_accumulation_steps=2"))
        .isInstanceOf(RunException.class)
        .hasMessageContaining("micro_batch_size: 2 there, 1 now")
        .hasMessageContaining("gradient_accumulation_steps: 1 there, 2 now");
  }

  @Test
  void aFinishedRunCanBeMadeLonger() {
    train("longer", new ExistingRunPolicy.Anew(), new StopRequest(), "max_steps=2");
    Path run = folder.resolve("longer");
    assertThat(ModelSource.tuned(run).run()).contains(run);
    assertThat(train("longer", RESUME, atOnce(), "max_steps=4").step()).isEqualTo(3);
    assertThat(ModelSource.tuned(run).run())
        .as("what it was is not what it is")
        .contains(run.resolve("checkpoint-3"));
    assertThat(train("longer", RESUME, new StopRequest(), "max_steps=4").step()).isEqualTo(4);
    assertThat(ModelSource.tuned(run).run()).contains(run);
    assertThatThrownBy(() -> train("longer", RESUME, new StopRequest(), "max_steps=3"))
        .isInstanceOf(RunException.class)
        .hasMessageContaining("max_steps: 4 there, 3 now; a run can be made longer, not shorter");
  }

  @Test
  void theBestIsKeptAndMayBeTheResult() {
    List<String> sets =
        new ArrayList<>(
            List.of(
                "max_steps=6",
                "eval_steps=1",
                "save_steps=0",
                "lr_scheduler=constant",
                "warmup_ratio=0",
                "save_total_limit=1",
                "learning_rate=3"));
    // At which rate the last step is not the best depends on how a processor rounds.
    for (String rate : List.of("3", "1", "10", "0.3", "30")) {
      sets.set(sets.size() - 1, "learning_rate=" + rate);
      train(
          "last",
          new ExistingRunPolicy.Overwrite(),
          new StopRequest(),
          sets.toArray(String[]::new));
      if (saved().best().step() < 6) {
        break;
      }
    }
    Event.ResultSaved last = saved();
    assertThat(last.step()).isEqualTo(6);
    assertThat(last.best().step()).as("it diverges").isLessThan(6);
    String best = "checkpoint-" + last.best().step();
    assertThat(folder.resolve("last").resolve(best)).isDirectory();

    sets.add("load_best_model_at_end=true");
    train("best", new ExistingRunPolicy.Anew(), new StopRequest(), sets.toArray(String[]::new));
    assertThat(saved().step()).isEqualTo(last.best().step());
    assertThat(folder.resolve("best/adapter_model.safetensors"))
        .hasSameBinaryContentAs(
            folder.resolve("last").resolve(best).resolve("adapter_model.safetensors"));
  }

  private Event.ResultSaved saved() {
    return events.stream()
        .filter(Event.ResultSaved.class::isInstance)
        .map(Event.ResultSaved.class::cast)
        .toList()
        .getLast();
  }

  @Test
  void anExportIsNotWrittenIntoARun() {
    train("source", new ExistingRunPolicy.Anew(), atOnce(), "max_steps=2");
    Path checkpoint = folder.resolve("source/checkpoint-1");
    assertThatThrownBy(() ->
            nibble
                .exporter(ModelSource.tuned(checkpoint))
                .overwrite(new ExportFormat.Adapter(Optional.empty()), checkpoint))
        .hasMessageContaining("is the folder of a run");
    nibble
        .exporter(ModelSource.tuned(folder.resolve("source")))
        .write(new ExportFormat.Adapter(Optional.empty()), folder.resolve("exported"));
    assertThat(folder.resolve("exported/adapter_model.safetensors"))
        .hasSameBinaryContentAs(checkpoint.resolve("adapter_model.safetensors"));
  }
}
