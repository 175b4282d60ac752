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
import dev.nibble.recipes.schema.Key;
import dev.nibble.recipes.schema.Schema.Group;
import dev.nibble.recipes.schema.Values;
import java.util.List;
import java.util.Optional;

/** Keys of the optimizer and the learning rate. */
final class OptimizationKeys {
  private OptimizationKeys() {}

  static final Key<Recipe, Optimizer> OPTIMIZER =
      Key.of(
          "optimizer",
          oneOf(Optimizer.class),
          value(Optimizer.ADAMW),
          r -> r.optimization().optimizer(),
          "`adamw`: AdamW with 32-bit moments.");

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
      Key.of(
          "adam_beta1",
          fromToBelow(0, 1),
          value(0.9),
          r -> r.optimization().beta1(),
          "Decay of the mean of gradients.");

  static final Key<Recipe, Double> BETA2 =
      Key.of(
          "adam_beta2",
          fromToBelow(0, 1),
          value(0.999),
          r -> r.optimization().beta2(),
          "Decay of the mean of squared gradients.");

  static final Key<Recipe, Double> EPSILON =
      Key.of(
          "adam_epsilon",
          above(0),
          value(1e-8),
          r -> r.optimization().epsilon(),
          "Added to the root of the mean of squared gradients.");

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
                  LORAPLUS_RATIO,
                  LORAPLUS_EMBEDDING,
                  MAX_GRAD_NORM)),
          List.of(OptimizationKeys::checkWarmup, OptimizationKeys::checkLoraPlus));

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
        v.find(LORAPLUS_RATIO)
            .map(ratio -> new LoraPlus(ratio, v.find(LORAPLUS_EMBEDDING).orElse(1e-6))),
        v.get(MAX_GRAD_NORM));
  }
}
