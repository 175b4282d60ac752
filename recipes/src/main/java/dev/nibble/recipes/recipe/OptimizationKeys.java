package dev.nibble.recipes.recipe;

import static dev.nibble.recipes.schema.Default.otherwise;
import static dev.nibble.recipes.schema.Default.value;
import static dev.nibble.recipes.schema.KeyTypes.oneOf;
import static dev.nibble.recipes.schema.Numbers.above;
import static dev.nibble.recipes.schema.Numbers.atLeast;
import static dev.nibble.recipes.schema.Numbers.fromToBelow;
import static dev.nibble.recipes.schema.Numbers.wholeNumber;

import dev.nibble.recipes.recipe.Recipe.LoraPlus;
import dev.nibble.recipes.recipe.Recipe.Optimizer;
import dev.nibble.recipes.recipe.Recipe.Schedule;
import dev.nibble.recipes.schema.ByteSizes;
import dev.nibble.recipes.schema.Key;
import dev.nibble.recipes.schema.Schema.Group;
import dev.nibble.recipes.schema.Values;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** Keys of the optimizer and the learning rate. */
final class OptimizationKeys {
  private OptimizationKeys() {}

  /** What transformers calls them, where the arithmetic is the same. */
  private static final Map<String, Optimizer> OTHER_NAMES =
      Map.of(
          "adamw_torch", Optimizer.ADAMW,
          "adamw_torch_fused", Optimizer.ADAMW,
          "adamw_hf", Optimizer.ADAMW,
          "adamw_bnb_8bit", Optimizer.ADAMW_8BIT,
          "paged_adamw_32bit", Optimizer.PAGED_ADAMW,
          "lion_32bit", Optimizer.LION);

  static final Key<Recipe, Optimizer> OPTIMIZER =
      Key.of(
          "optimizer",
          oneOf(Optimizer.class, OTHER_NAMES),
          value(Optimizer.ADAMW),
          r -> r.optimization().optimizer(),
          "`adamw`: AdamW with 32-bit moments. `adamw_8bit`: its moments in 8 bits as in bitsandbytes, a quarter of the memory; parameters of fewer than 4096 weights and embeddings keep 32. `paged_…`: the same results to the bit, and only `paged_optimizer_memory` of the moments stays on the device. `lion`: half the memory; wants a learning rate some 3 to 10 times smaller. `adafactor`: moments of rows and columns only; the learning rate is the one given. `sgd`: no memory, see `momentum`. Names of transformers such as `adamw_torch`, `adamw_bnb_8bit` and `paged_adamw_32bit` are understood.");

  static final Key<Recipe, Double> LEARNING_RATE =
      Key.of(
          "learning_rate",
          above(0),
          value(2e-4),
          r -> r.optimization().learningRate(),
          "The peak of the learning rate.");

  static final Key<Recipe, Schedule> LR_SCHEDULER =
      Key.of(
          "lr_scheduler",
          oneOf(Schedule.class),
          value(Schedule.COSINE),
          r -> r.optimization().schedule(),
          "How the learning rate falls after warm-up: not at all, in a line, or along half a cosine, to 0 at the end of"
              + " the run.");

  static final Key<Recipe, Double> WARMUP_RATIO =
      Key.when(
          "warmup_ratio",
          fromToBelow(0, 1),
          value(0.0),
          r ->
              r.optimization().warmupSteps().isPresent()
                  ? Optional.empty()
                  : Optional.of(r.optimization().warmupRatio()),
          "Part of the steps in which the learning rate rises from 0 to its peak.");

  static final Key<Recipe, Integer> WARMUP_STEPS =
      Key.when(
          "warmup_steps",
          wholeNumber(0),
          otherwise("from `warmup_ratio`"),
          r -> r.optimization().warmupSteps(),
          "Steps in which the learning rate rises from 0 to its peak.");

  static final Key<Recipe, Double> WEIGHT_DECAY =
      Key.of(
          "weight_decay",
          atLeast(0),
          value(0.0),
          r -> r.optimization().weightDecay(),
          "Decoupled weight decay. Norms and biases have none.");

  static final Key<Recipe, Double> BETA1 =
      Key.when(
          "adam_beta1",
          fromToBelow(0, 1),
          value(0.9),
          r ->
              Optional.of(r.optimization().beta1())
                  .filter(b -> usesBetas(r.optimization().optimizer())),
          "With AdamW, decay of the mean of gradients; with `lion`, the share of the momentum in a step's direction.");

  static final Key<Recipe, Double> BETA2 =
      Key.when(
          "adam_beta2",
          fromToBelow(0, 1),
          value(0.999),
          r ->
              Optional.of(r.optimization().beta2())
                  .filter(b -> usesBetas(r.optimization().optimizer())),
          "With AdamW, decay of the mean of squared gradients; with `lion`, decay of the momentum, where 0.99 is usual.");

  static final Key<Recipe, Double> EPSILON =
      Key.when(
          "adam_epsilon",
          above(0),
          value(1e-8),
          r ->
              Optional.of(r.optimization().epsilon())
                  .filter(b -> r.optimization().optimizer().isAdamW()),
          "With AdamW: added to the root of the mean of squared gradients.");

  static final Key<Recipe, Double> MOMENTUM =
      Key.when(
          "momentum",
          fromToBelow(0, 1),
          value(0.0),
          r ->
              Optional.of(r.optimization().momentum())
                  .filter(m -> r.optimization().optimizer() == Optimizer.SGD),
          "With `sgd`: the share of the last step that stays. 0 keeps nothing.");

  static final Key<Recipe, Long> PAGED_MEMORY =
      Key.when(
          "paged_optimizer_memory",
          ByteSizes.size(),
          value(256_000_000L),
          r ->
              Optional.of(r.optimization().pagedMemory())
                  .filter(m -> r.optimization().optimizer().isPaged()),
          "With a paged optimizer: how much of its state stays on the device; the rest passes through page by page. On a GPU the rest lies in the host's memory, on the CPU in a file in `output_dir` that goes when the run ends. Does not change results.");

  static final Key<Recipe, Double> LORAPLUS_RATIO =
      Key.when(
          "loraplus_lr_ratio",
          above(0),
          otherwise("one rate for all"),
          r -> r.optimization().loraPlus().map(LoraPlus::ratio),
          "An adapter's second matrices and vectors learn at this multiple of `learning_rate` (LoRA+). 16 is usual.");

  static final Key<Recipe, Double> LORAPLUS_EMBEDDING =
      Key.when(
          "loraplus_lr_embedding",
          above(0),
          otherwise("1e-6 with `loraplus_lr_ratio`"),
          r -> r.optimization().loraPlus().map(LoraPlus::embeddingRate),
          "The learning rate of adapted embeddings, with `loraplus_lr_ratio`.");

  static final Key<Recipe, Double> MAX_GRAD_NORM =
      Key.of(
          "max_grad_norm",
          atLeast(0),
          value(1.0),
          r -> r.optimization().maxGradNorm(),
          "Gradients with a larger norm are scaled down to this one. 0 leaves them alone.");

  static final RecipeKeys.Part PART =
      new RecipeKeys.Part(
          new Group<>(
              "Optimizer",
              List.of(
                  OPTIMIZER,
                  LEARNING_RATE,
                  LR_SCHEDULER,
                  WARMUP_RATIO,
                  WARMUP_STEPS,
                  WEIGHT_DECAY,
                  BETA1,
                  BETA2,
                  EPSILON,
                  MOMENTUM,
                  PAGED_MEMORY,
                  LORAPLUS_RATIO,
                  LORAPLUS_EMBEDDING,
                  MAX_GRAD_NORM)),
          List.of(
              OptimizationKeys::checkWarmup,
              OptimizationKeys::checkOptimizer,
              OptimizationKeys::checkLoraPlus));

  private static boolean usesBetas(Optimizer optimizer) {
    return optimizer.isAdamW() || optimizer == Optimizer.LION;
  }

  private static void checkOptimizer(Values<Recipe> v) {
    Optional<Optimizer> chosen = v.find(OPTIMIZER);
    if (chosen.isEmpty()) {
      return;
    }
    Optimizer optimizer = chosen.get();
    String unused = "not used with optimizer: " + OPTIMIZER.type().plain(optimizer) + "; remove it";
    if (!usesBetas(optimizer)) {
      v.refuse(unused, BETA1, BETA2);
    }
    if (!optimizer.isAdamW()) {
      v.refuse(unused, EPSILON);
    }
    if (optimizer != Optimizer.SGD) {
      v.refuse(unused, MOMENTUM);
    }
    if (!optimizer.isPaged()) {
      v.refuse(unused, PAGED_MEMORY);
    }
  }

  private static void checkLoraPlus(Values<Recipe> v) {
    if (v.is(ModelKeys.ADAPTER, Recipe.Adapter.NONE)) {
      v.refuse(LoraKeys.UNUSED, LORAPLUS_RATIO, LORAPLUS_EMBEDDING);
    } else if (!v.given(LORAPLUS_RATIO)) {
      v.refuse("only used with loraplus_lr_ratio; remove it", LORAPLUS_EMBEDDING);
    }
  }

  private static void checkWarmup(Values<Recipe> v) {
    if (v.given(WARMUP_RATIO)) {
      v.refuse("warmup_ratio is given too; keep one of them", WARMUP_STEPS);
    }
    int warmup = v.find(WARMUP_STEPS).orElse(0);
    v.find(TrainingKeys.MAX_STEPS)
        .filter(max -> warmup > max)
        .ifPresent(max ->
            v.problem(WARMUP_STEPS, "expected at most max_steps, " + max + ", got " + warmup));
  }

  static Recipe.Optimization build(Values<Recipe> v) {
    return new Recipe.Optimization(
        v.get(OPTIMIZER),
        v.get(LEARNING_RATE),
        v.get(LR_SCHEDULER),
        v.get(WARMUP_RATIO),
        v.find(WARMUP_STEPS),
        v.get(WEIGHT_DECAY),
        v.get(BETA1),
        v.get(BETA2),
        v.get(EPSILON),
        v.get(MOMENTUM),
        v.get(PAGED_MEMORY),
        v.find(LORAPLUS_RATIO)
            .map(ratio -> new LoraPlus(ratio, v.find(LORAPLUS_EMBEDDING).orElse(1e-6))),
        v.get(MAX_GRAD_NORM));
  }
}
