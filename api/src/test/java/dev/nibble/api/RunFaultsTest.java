package dev.nibble.api;

import static org.assertj.core.api.Assertions.assertThat;

import dev.nibble.api.faults.Fault;
import dev.nibble.api.faults.FaultyFileSystem;
import dev.nibble.compute.files.Folders;
import dev.nibble.compute.safetensors.Safetensors;
import dev.nibble.compute.safetensors.SafetensorsFile;
import dev.nibble.errors.NibbleException;
import dev.nibble.recipes.recipe.Recipe;
import dev.nibble.recipes.recipe.Recipes;
import dev.nibble.trainer.run.RunException;
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
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/**
 * Runs that are killed, or whose disk fails them, at an operation that changes a file. Afterwards
 * what is there is whole, the run can be resumed, it gives the bits of one that nothing happened
 * to, and nothing is left behind.
 *
 * <p>{@code -Dfaults.every=1} takes every single operation, which {@code .ci/slow} does; otherwise
 * it is one in {@value #USUAL}, another one in each scenario.
 */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class RunFaultsTest {
  private static final int USUAL = 9;
  private static final int EVERY = Integer.getInteger("faults.every", USUAL);

  private static final List<String> STEPS =
      List.of(
          "val_set_size=4",
          "gradient_accumulation_steps=1",
          "lr_scheduler=constant",
          "warmup_ratio=0",
          "max_steps=3",
          "eval_steps=2",
          "save_steps=1",
          "save_total_limit=1");

  /** What a run does while it is attacked. */
  enum Scenario {
    STARTS,
    REPLACES_ANOTHER,
    RESUMES,
    CONTINUES_BEYOND_ITS_END,
    CONVERTS_ITS_ADAPTER,
    PAGES_ITS_OPTIMIZER,
    TRAINS_ALL_WEIGHTS;

    private boolean hasAdapter() {
      return this != TRAINS_ALL_WEIGHTS;
    }

    private String weights() {
      return hasAdapter() ? "adapter_model.safetensors" : "model.safetensors";
    }

    private ExistingRunPolicy existing() {
      return switch (this) {
        case REPLACES_ANOTHER -> new ExistingRunPolicy.Overwrite();
        case RESUMES, CONTINUES_BEYOND_ITS_END -> new ExistingRunPolicy.Resume(Optional.empty());
        case STARTS, CONVERTS_ITS_ADAPTER, PAGES_ITS_OPTIMIZER, TRAINS_ALL_WEIGHTS ->
            new ExistingRunPolicy.Anew();
      };
    }

    private List<String> settings() {
      return switch (this) {
        case STARTS, REPLACES_ANOTHER, RESUMES, CONTINUES_BEYOND_ITS_END -> List.of("lora_r=1");
        case CONVERTS_ITS_ADAPTER -> List.of("lora_r=1", "peft_init_lora_weights=pissa");
        case PAGES_ITS_OPTIMIZER ->
            List.of("lora_r=64", "optimizer=paged_adamw", "paged_optimizer_memory=16KB");
        case TRAINS_ALL_WEIGHTS -> List.of();
      };
    }
  }

  private Path folder = Path.of("");

  @BeforeAll
  void pretrain(@TempDir Path temp) throws IOException {
    folder = temp;
    TinyRun.in(folder);
    Nibble.silent().tuner(Recipes.read(folder.resolve("pretrain.yaml"), List.of())).train();
  }

  private Recipe recipe(Scenario scenario, Path out, String... more) {
    List<String> sets = new ArrayList<>(STEPS);
    if (scenario.hasAdapter()) {
      sets.addAll(List.of("answer_eval=", "lora_target_modules=[q_proj]"));
    }
    sets.addAll(scenario.settings());
    sets.addAll(List.of(more));
    String file = scenario.hasAdapter() ? "qlora.yaml" : "pretrain.yaml";
    Recipe recipe = Recipes.read(folder.resolve(file), sets);
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

  private static void train(Recipe recipe, ExistingRunPolicy existing) {
    Nibble.silent().tuner(recipe).train(existing, new StopRequest());
  }

  /** What is there before the attack. */
  private void prepare(Scenario scenario, Path out) {
    ExistingRunPolicy anew = new ExistingRunPolicy.Anew();
    switch (scenario) {
      case REPLACES_ANOTHER -> train(recipe(scenario, out, "seed=1"), anew);
      case CONTINUES_BEYOND_ITS_END -> train(recipe(scenario, out, "max_steps=2"), anew);
      case RESUMES -> {
        StopRequest stop = new StopRequest();
        stop.request();
        Nibble.silent().tuner(recipe(scenario, out)).train(anew, stop);
      }
      default -> {}
    }
  }

  /**
   * Runs with a fault at the first, the last and every so many operations of an undisturbed run.
   */
  private void atOperations(Scenario scenario, IntFunction<Fault> faults) throws IOException {
    Path before = folder.resolve(scenario + "-before");
    prepare(scenario, before);
    Path expected = folder.resolve(scenario + "-expected");
    Folders.delete(expected);
    train(recipe(scenario, expected), new ExistingRunPolicy.Anew());
    Path out = folder.resolve("attacked");
    FaultyFileSystem counting = new FaultyFileSystem(Fault.none());
    replace(out, before);
    train(recipe(scenario, counting.path(out)), scenario.existing());
    assertThat(counting.operations()).isGreaterThan(80);
    int last = counting.operations() - 1;
    for (int at = 0; at <= last; at++) {
      if (at % EVERY != Math.floorMod(scenario.name().hashCode(), EVERY) && at != 0 && at != last) {
        continue;
      }
      replace(out, before);
      FaultyFileSystem system = new FaultyFileSystem(faults.apply(at));
      String what = "a fault at operation %d of %d".formatted(at, counting.operations());
      try {
        train(recipe(scenario, system.path(out)), scenario.existing());
      } catch (Fault.Killed | NibbleException e) {
        // The only ways in which a run may end early.
      }
      checkWhatIsThere(scenario, out, what);
      finish(scenario, out, what);
      assertThat(names(out)).as(what).isEqualTo(names(expected));
      for (String file : List.of(scenario.weights(), "checkpoint-3/optimizer.safetensors")) {
        assertThat(out.resolve(file)).as(what).hasSameBinaryContentAs(expected.resolve(file));
      }
      assertThat(Files.readAllLines(out.resolve("metrics.jsonl"))).as(what).hasSize(3 + 2);
    }
    Folders.delete(before);
  }

  private static void replace(Path out, Path before) throws IOException {
    Folders.delete(out);
    if (!Files.exists(before)) {
      return;
    }
    try (Stream<Path> all = Files.walk(before)) {
      for (Path file : all.toList()) {
        Files.copy(file, out.resolve(before.relativize(file)));
      }
    }
  }

  /** What is taken for a trained model is one, as a whole. */
  private static void checkWhatIsThere(Scenario scenario, Path out, String what) {
    if (!Files.exists(out.resolve("recipe.resolved.yaml"))) {
      return;
    }
    try {
      Path weights = ModelSource.tuned(out).run().orElseThrow();
      try (SafetensorsFile file = Safetensors.open(weights.resolve(scenario.weights()))) {
        assertThat(file.names()).as(what).isNotEmpty();
      }
    } catch (RunException e) {
      assertThat(e).as(what).hasMessageContaining("has saved nothing yet");
    }
  }

  /** Does what a user would: resumes, or starts again where there is nothing to resume. */
  private void finish(Scenario scenario, Path out, String what) throws IOException {
    boolean began = Files.exists(out) && !names(out).isEmpty();
    try {
      train(
          recipe(scenario, out),
          began ? new ExistingRunPolicy.Resume(Optional.empty()) : scenario.existing());
    } catch (RunException e) {
      assertThat(scenario).as(what).isEqualTo(Scenario.REPLACES_ANOTHER);
      assertThat(e).as(what).hasMessageContaining("seed: 1 there, 42 now");
      train(recipe(scenario, out), scenario.existing());
    }
  }

  private static List<String> names(Path folder) throws IOException {
    try (Stream<Path> entries = Files.list(folder)) {
      return entries.map(p -> p.getFileName().toString()).sorted().toList();
    }
  }

  @ParameterizedTest
  @EnumSource(Scenario.class)
  void killedAnywhere(Scenario scenario) throws IOException {
    atOperations(scenario, Fault::killedAt);
  }

  @Test
  void theDiskFillsUpAnywhere() throws IOException {
    atOperations(Scenario.STARTS, Fault::fullFrom);
  }

  @Test
  void anOperationFailsAnywhere() throws IOException {
    atOperations(Scenario.STARTS, Fault::errorAt);
  }
}
