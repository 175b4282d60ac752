package dev.nibble.api.planning;

import dev.nibble.api.estimate.MemoryBudget;
import dev.nibble.api.estimate.MemoryPlan;
import dev.nibble.api.text.Human;
import dev.nibble.api.wiring.AnswerEvaluation;
import dev.nibble.api.wiring.Wiring;
import dev.nibble.compute.kernels.Kernels;
import dev.nibble.compute.kernels.PlanningKernels;
import dev.nibble.compute.tensor.Scope;
import dev.nibble.recipes.recipe.Recipe;
import dev.nibble.recipes.recipe.RecipeException;
import dev.nibble.recipes.schema.AutoFlag;
import dev.nibble.trainer.model.CausalLm;
import dev.nibble.trainer.model.Checkpointing;
import dev.nibble.trainer.model.Decoder;
import dev.nibble.trainer.optim.Optimizer;
import java.util.Optional;

/**
 * Planner of a run's memory: it builds the run with kernels and a scope that count and hold
 * nothing. Of the model only config.json and the headers of its files are read.
 */
public final class Planner {
  // A micro-batch of more tokens than this is not looked for.
  private static final int MOST_TOKENS = 1 << 22;

  private final Recipe recipe;
  private final Wiring wiring;
  private final Kernels real;
  private final Kernels kernels;

  /** A planner for runs on {@code real} kernels. */
  public Planner(Recipe recipe, Wiring wiring, Kernels real) {
    this.recipe = recipe;
    this.wiring = wiring;
    this.real = real;
    this.kernels = PlanningKernels.of(real);
  }

  /** The recipe's run. */
  MemoryPlan plan() {
    return plan(checkpointing());
  }

  /** The recipe's run when so many layers keep their activations. */
  public MemoryPlan plan(Checkpointing checkpointing) {
    return plan(wiring.batches().maxTokens(), checkpointing);
  }

  /** The least that the recipe's run takes with micro-batches of up to so many tokens. */
  public MemoryPlan plan(int tokens) {
    return plan(tokens, least());
  }

  /** Which layers keep their activations in the memory that is free now. */
  public Checkpointing checkpointing() {
    return checkpointing(FreeMemory.now(real));
  }

  /** Which layers keep their activations: what the recipe says, or those that fit. */
  public Checkpointing checkpointing(Optional<MemoryBudget> budget) {
    return CheckpointingChoice.choose(
        recipe.training().checkpointing(),
        budget,
        wiring.model().layers().size(),
        c -> plan(c).tensors());
  }

  private Checkpointing least() {
    return recipe.training().checkpointing() == AutoFlag.FALSE
        ? Checkpointing.OFF
        : Checkpointing.FULL;
  }

  private MemoryPlan plan(int tokens, Checkpointing checkpointing) {
    try (Scope scope = Scope.open("plan", kernels.memory())) {
      CausalLm model = wiring.modelToTrain(kernels, scope, tokens, checkpointing, event -> {});
      wiring.objective(kernels, scope, tokens);
      Optimizer optimizer = wiring.optimizer(kernels, model.parameters(), scope);
      try {
        wiring.clip(kernels, scope);
        return recipe.evaluation().answers().isEmpty()
            ? planOf(scope)
            : planWithAnswers(model, scope);
      } finally {
        optimizer.close();
      }
    }
  }

  /** Answers are generated before and after training, while all else is there. */
  private static MemoryPlan planWithAnswers(CausalLm model, Scope scope) {
    int capacity = Math.min(AnswerEvaluation.CACHE_TOKENS, model.maxPositions());
    Decoder answers = model.decoder(AnswerEvaluation.CACHE_TOKENS / capacity, capacity);
    try {
      return planOf(scope);
    } finally {
      answers.close();
    }
  }

  private static MemoryPlan planOf(Scope scope) {
    return new MemoryPlan(scope.groups(), scope.hostBytes());
  }

  /** The most tokens of a micro-batch that fit; 0 when not even one does. */
  public int mostTokens(MemoryBudget budget) {
    int fits = 0;
    int tooMany = MOST_TOKENS + 1;
    while (tooMany - fits > 1) {
      int middle = fits + (tooMany - fits) / 2;
      if (plan(middle).tensors() <= budget.forTensors()) {
        fits = middle;
      } else {
        tooMany = middle;
      }
    }
    return fits;
  }

  /** The largest {@code sequence_len} of so many tokens, with the recipe's micro_batch_size. */
  public int longest(int tokens) {
    return Math.min(tokens / recipe.training().microBatchSize(), wiring.model().longestSample());
  }

  /** The largest {@code micro_batch_size} of so many tokens, with the recipe's sequence_len. */
  public int mostSamples(int tokens) {
    return tokens / recipe.data().sequenceLength();
  }

  /**
   * Refuses a run that cannot fit, before anything is loaded.
   *
   * @throws RecipeException which says by how much, and what to lower to what
   */
  public void requireFit() {
    FreeMemory.most(real).ifPresent(this::requireFit);
  }

  void requireFit(MemoryBudget budget) {
    MemoryPlan plan = plan(least());
    long needed = plan.tensors() + budget.runtime();
    if (needed <= budget.bytes()) {
      return;
    }
    StringBuilder table = new StringBuilder();
    plan.groups()
        .forEach(
            (group, bytes) -> table.append("  %-12s %10s%n".formatted(group, Human.bytes(bytes))));
    if (budget.runtime() > 0) {
      table.append("  %-12s %10s%n".formatted("runtime", Human.bytes(budget.runtime())));
    }
    throw new RecipeException(
        "This run needs %s, and %s: %s too much.%n%s%s"
            .formatted(
                Human.bytes(needed),
                budget.words(),
                Human.bytes(needed - budget.bytes()),
                table,
                remedy(mostTokens(budget))));
  }

  private String remedy(int tokens) {
    String keep =
        least().equals(Checkpointing.FULL)
            ? ""
            : "Write gradient_checkpointing: true, which keeps less of each layer. ";
    int longest = longest(tokens);
    int samples = mostSamples(tokens);
    if (longest < 1) {
      return keep
          + "No sequence_len fits: take a smaller model, load_in_4bit: true, a smaller lora_r, or a machine with more memory.";
    }
    return keep
        + "Lower sequence_len from %d to %d or less"
            .formatted(recipe.data().sequenceLength(), longest)
        + (samples < 1
            ? "; no micro_batch_size fits with the present one."
            : ", or micro_batch_size from %d to %d or less."
                .formatted(recipe.training().microBatchSize(), samples));
  }
}
