package dev.nibble.api.planning;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.nibble.api.TinyRun;
import dev.nibble.api.estimate.MemoryBudget;
import dev.nibble.api.estimate.MemoryPlan;
import dev.nibble.api.wiring.Wiring;
import dev.nibble.compute.kernels.KernelOptions;
import dev.nibble.compute.kernels.KernelSets;
import dev.nibble.compute.kernels.Kernels;
import dev.nibble.compute.tensor.Scope;
import dev.nibble.recipes.recipe.Recipe;
import dev.nibble.recipes.recipe.RecipeException;
import dev.nibble.recipes.recipe.Recipes;
import dev.nibble.trainer.model.CausalLm;
import dev.nibble.trainer.model.Checkpointing;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What a recipe is planned to take, against what it takes. */
class PlannerTest {

  @TempDir Path folder;
  private Kernels kernels = KernelSets.require("cpu").open(KernelOptions.ofThreads(1));

  @BeforeEach
  void aRecipe() throws IOException {
    TinyRun.in(folder);
  }

  @AfterEach
  void close() {
    kernels.close();
  }

  private Recipe recipe(String... sets) {
    List<String> all = new ArrayList<>(List.of("device=cpu"));
    all.addAll(List.of(sets));
    return Recipes.read(folder.resolve("pretrain.yaml"), all);
  }

  private Planner planner(Recipe recipe) {
    return new Planner(recipe, new Wiring(recipe), kernels);
  }

  /** To the byte, for several lengths. */
  @Test
  void theRunTakesWhatIsPlanned() {
    for (String length : new String[] {"sequence_len=16", "sequence_len=128"}) {
      Recipe recipe = recipe(length, "gradient_checkpointing=true");
      Planner planner = planner(recipe);
      MemoryPlan plan = planner.plan();
      Wiring wiring = new Wiring(recipe);
      try (Scope memory = Scope.open("run", kernels.memory())) {
        CausalLm model = wiring.modelToTrain(kernels, memory, planner.checkpointing(), event -> {});
        assertThat(wiring.optimizer(kernels, model.parameters(), memory).steps()).isZero();
        assertThat(wiring.clip(kernels, memory)).isNotNull();
        assertThat(wiring.objective(kernels, memory)).isNotNull();
        assertThat(plan.groups()).isEqualTo(memory.groups());
        assertThat(plan.tensors()).isEqualTo(memory.bytes());
      }
    }
  }

  /** The pages in a file are not in memory. */
  @Test
  void aPagedOptimizerTakesWhatStays() {
    Recipe all = recipe("optimizer=paged_adamw", "paged_optimizer_memory=1GB");
    Recipe few = recipe("optimizer=paged_adamw", "paged_optimizer_memory=64KB");
    assertThat(planner(all).plan().groups().get("optimizer"))
        .isEqualTo(planner(recipe("optimizer=adamw")).plan().groups().get("optimizer"));
    assertThat(planner(few).plan().groups().get("optimizer")).isLessThanOrEqualTo(64_000L + 8);
    assertThat(folder.resolve("optimizer.pages")).doesNotExist();
  }

  @Test
  void asManyLayersKeepTheirActivationsAsFit() {
    Planner planner = planner(recipe("gradient_checkpointing=auto"));
    long least = planner.plan(Checkpointing.FULL).tensors();
    long most = planner.plan(Checkpointing.OFF).tensors();
    assertThat(most).isGreaterThan(least);
    assertThat(planner.checkpointing(Optional.of(budget(most)))).isEqualTo(Checkpointing.OFF);
    assertThat(planner.checkpointing(Optional.of(budget(most - 1))))
        .isNotEqualTo(Checkpointing.OFF);
    assertThat(planner.checkpointing(Optional.of(budget(least)))).isEqualTo(Checkpointing.FULL);
    assertThat(planner.checkpointing(Optional.of(budget(least - 1)))).isEqualTo(Checkpointing.FULL);
    assertThat(planner.checkpointing()).isEqualTo(Checkpointing.OFF);
    assertThat(planner(recipe("gradient_checkpointing=true")).checkpointing())
        .isEqualTo(Checkpointing.FULL);
  }

  /** One of which so much is filled. */
  private static MemoryBudget budget(long filled) {
    long bytes = (long) (filled / 0.9);
    while (new MemoryBudget(bytes, 0, "").filled() < filled) {
      bytes++;
    }
    return new MemoryBudget(bytes, 0, "there is enough");
  }

  @Test
  void theMostTokensFitAndOneMoreDoesNot() {
    Planner planner = planner(recipe());
    MemoryBudget budget = new MemoryBudget(40L << 20, 0, "there are 40 MiB");
    int most = planner.mostTokens(budget);
    assertThat(most).isGreaterThan(64);
    assertThat(planner.plan(most).tensors()).isLessThanOrEqualTo(budget.bytes());
    assertThat(planner.plan(most + 1).tensors()).isGreaterThan(budget.bytes());
    assertThat(planner.longest(most)).isEqualTo(Math.min(most / 2, 128));
    assertThat(planner.mostSamples(most)).isEqualTo(most / 32);
  }

  @Test
  void whatCannotFitIsRefusedWithWhatWould() {
    Recipe recipe = recipe("micro_batch_size=4000");
    Planner planner = planner(recipe);
    MemoryBudget budget = new MemoryBudget(64L << 20, 8L << 20, "this machine has 64 MiB");
    int samples = planner.mostSamples(planner.mostTokens(budget));
    assertThatThrownBy(() -> planner.requireFit(budget))
        .isInstanceOf(RecipeException.class)
        .hasMessageContainingAll(
            "and this machine has 64 MiB: ",
            "too much.",
            "activations",
            "runtime           8 MiB",
            "Write gradient_checkpointing: true",
            "micro_batch_size from 4000 to " + samples + " or less");
    Recipe fits = recipe("micro_batch_size=" + samples);
    planner(fits).requireFit(budget);
    assertThatThrownBy(
            () -> planner(recipe("micro_batch_size=" + (samples + 1))).requireFit(budget))
        .isInstanceOf(RecipeException.class);
  }

  @Test
  void aModelThatNeverFits() {
    MemoryBudget budget = new MemoryBudget(1L << 20, 0, "there is 1 MiB");
    assertThatThrownBy(() -> planner(recipe()).requireFit(budget))
        .hasMessageContaining("No sequence_len fits: take a smaller model");
  }
}
