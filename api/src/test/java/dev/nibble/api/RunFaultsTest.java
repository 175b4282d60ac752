package dev.nibble.api;

import static org.assertj.core.api.Assertions.assertThat;

import dev.nibble.adapters.PeftAdapter;
import dev.nibble.api.faults.Fault;
import dev.nibble.api.faults.FaultyFileSystem;
import dev.nibble.compute.files.Folders;
import dev.nibble.errors.NibbleException;
import dev.nibble.recipes.recipe.Recipe;
import dev.nibble.recipes.recipe.Recipes;
import dev.nibble.trainer.run.RunException;
import dev.nibble.trainer.train.Outcome;
import dev.nibble.trainer.train.StopRequest;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.IntFunction;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.io.TempDir;

/**
 * Runs that are killed, or whose disk fails them, at every single operation that changes a file.
 * Afterwards what is there is whole, the run can be resumed, it gives the bits of one that nothing
 * happened to, and nothing is left behind.
 */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class RunFaultsTest {
  private static final List<String> SETTINGS =
      List.of(
          "answer_eval=",
          "lora_r=1",
          "lora_target_modules=[q_proj]",
          "gradient_accumulation_steps=1",
          "max_steps=3",
          "eval_steps=2",
          "save_steps=1",
          "save_total_limit=1");

  private Path folder = Path.of("");
  private Path expected = Path.of("");
  private Path earlier = Path.of("");

  @BeforeAll
  void trainUndisturbed(@TempDir Path temp) throws IOException {
    folder = temp;
    TinyRun.in(folder);
    Nibble.silent().tuner(Recipes.read(folder.resolve("pretrain.yaml"), List.of())).train();
    expected = folder.resolve("expected");
    train(recipe(expected), new ExistingRunPolicy.Anew());
    earlier = folder.resolve("earlier");
    train(recipe(earlier, "seed=1"), new ExistingRunPolicy.Anew());
  }

  private Recipe recipe(Path out, String... more) {
    List<String> sets = new ArrayList<>(SETTINGS);
    sets.addAll(List.of(more));
    Recipe recipe = Recipes.read(folder.resolve("qlora.yaml"), sets);
    Recipe.Output o = recipe.output();
    return new Recipe(
        recipe.model(),
        recipe.data(),
        recipe.training(),
        recipe.optimization(),
        recipe.evaluation(),
        new Recipe.Output(
            out,
            o.overwrite(),
            o.saveSteps(),
            o.saveLimit(),
            o.best(),
            o.saveDType(),
            o.loggingSteps()),
        recipe.machine());
  }

  private static Outcome train(Recipe recipe, ExistingRunPolicy existing) {
    return Nibble.silent().tuner(recipe).train(existing, new StopRequest());
  }

  /** Runs once for each operation that an undisturbed run has, with a fault there. */
  private void atEachOperation(
      IntFunction<Fault> faults, ExistingRunPolicy existing, Optional<Path> before)
      throws IOException {
    Path out = folder.resolve("attacked");
    FaultyFileSystem counting = new FaultyFileSystem(Fault.none());
    start(out, before);
    train(recipe(counting.path(out)), existing);
    assertThat(counting.operations()).isGreaterThan(100);
    for (int at = 0; at < counting.operations(); at++) {
      start(out, before);
      FaultyFileSystem system = new FaultyFileSystem(faults.apply(at));
      String what = "a fault at operation %d of %d".formatted(at, counting.operations());
      try {
        train(recipe(system.path(out)), existing);
      } catch (Fault.Killed | NibbleException e) {
        // The only ways in which a run may end early.
      }
      checkWhatIsThere(out, what);
      finish(out, existing, what);
      assertThat(names(out)).as(what).isEqualTo(names(expected));
      for (String file :
          List.of("adapter_model.safetensors", "checkpoint-3/optimizer.safetensors")) {
        assertThat(out.resolve(file)).as(what).hasSameBinaryContentAs(expected.resolve(file));
      }
      assertThat(Files.readAllLines(out.resolve("metrics.jsonl"))).as(what).hasSize(3 + 2);
    }
  }

  private static void start(Path out, Optional<Path> before) throws IOException {
    Folders.delete(out);
    if (before.isPresent()) {
      copy(before.get(), out);
    }
  }

  private static void copy(Path from, Path to) throws IOException {
    try (Stream<Path> all = Files.walk(from)) {
      for (Path file : all.toList()) {
        Files.copy(file, to.resolve(from.relativize(file)));
      }
    }
  }

  /** What is taken for a trained model is one, as a whole. */
  private static void checkWhatIsThere(Path out, String what) {
    if (!Files.exists(out.resolve("recipe.resolved.yaml"))) {
      return;
    }
    try {
      Path weights = ModelSource.tuned(out).run().orElseThrow();
      assertThat(PeftAdapter.open(weights).spec()).as(what).isNotNull();
    } catch (RunException e) {
      assertThat(e).as(what).hasMessageContaining("has saved nothing yet");
    }
  }

  /** Does what a user would: resumes, or starts again where there is nothing to resume. */
  private void finish(Path out, ExistingRunPolicy existing, String what) throws IOException {
    boolean began = Files.exists(out) && !names(out).isEmpty();
    try {
      train(recipe(out), began ? new ExistingRunPolicy.Resume(Optional.empty()) : existing);
    } catch (RunException e) {
      assertThat(existing).as(what).isInstanceOf(ExistingRunPolicy.Overwrite.class);
      assertThat(e).as(what).hasMessageContaining("seed: 1 there, 42 now");
      train(recipe(out), existing);
    }
  }

  private static List<String> names(Path folder) throws IOException {
    try (Stream<Path> entries = Files.list(folder)) {
      return entries.map(p -> p.getFileName().toString()).sorted().toList();
    }
  }

  @Test
  void killedAnywhere() throws IOException {
    atEachOperation(Fault::killedAt, new ExistingRunPolicy.Anew(), Optional.empty());
  }

  @Test
  void killedAnywhereWhileItReplacesARun() throws IOException {
    atEachOperation(Fault::killedAt, new ExistingRunPolicy.Overwrite(), Optional.of(earlier));
  }

  @Test
  void theDiskFillsUpAnywhere() throws IOException {
    atEachOperation(Fault::fullFrom, new ExistingRunPolicy.Anew(), Optional.empty());
  }

  @Test
  void anOperationFailsAnywhere() throws IOException {
    atEachOperation(Fault::errorAt, new ExistingRunPolicy.Anew(), Optional.empty());
  }
}
