package dev.nibble.recipes.recipe;

import static dev.nibble.recipes.schema.Default.otherwise;
import static dev.nibble.recipes.schema.Default.value;
import static dev.nibble.recipes.schema.KeyTypes.oneOf;
import static dev.nibble.recipes.schema.Numbers.above;
import static dev.nibble.recipes.schema.Numbers.atLeast;
import static dev.nibble.recipes.schema.Numbers.fromToBelow;
import static dev.nibble.recipes.schema.Numbers.wholeNumber;

import dev.nibble.recipes.recipe.Recipe.LearningRate;
import dev.nibble.recipes.recipe.Recipe.LoraPlus;
import dev.nibble.recipes.recipe.Recipe.Optimization;
import dev.nibble.recipes.recipe.Recipe.Schedule;
import dev.nibble.recipes.recipe.Recipe.Warmup;
import dev.nibble.recipes.schema.ByteSizes;
import dev.nibble.recipes.schema.Key;
import dev.nibble.recipes.schema.KeyValues;
import dev.nibble.recipes.schema.Schema.Group;
import dev.nibble.trainer.optim.Adafactor;
import dev.nibble.trainer.optim.AdamW;
import dev.nibble.trainer.optim.AdamW8bit;
import dev.nibble.trainer.optim.Lion;
import dev.nibble.trainer.optim.OptimizerSettings;
import dev.nibble.trainer.optim.Sgd;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Function;

/** Keys of the optimizer and the learning rate. */
final class OptimizationKeys {
  private OptimizationKeys() {}

  /** Names in transformers of optimizers with the same arithmetic. */
  private static final Map<String, OptimizerName> OTHER_NAMES =
      Map.of(
          "adamw_torch", OptimizerName.ADAMW,
          "adamw_torch_fused", OptimizerName.ADAMW,
          "adamw_hf", OptimizerName.ADAMW,
          "adamw_bnb_8bit", OptimizerName.ADAMW_8BIT,
          "paged_adamw_32bit", OptimizerName.PAGED_ADAMW,
          "lion_32bit", OptimizerName.LION);

  static final Key<Recipe, OptimizerName> OPTIMIZER =
      Key.of(
          "optimizer",
          oneOf(OptimizerName.class, OTHER_NAMES),
          value(OptimizerName.ADAMW),
          r -> OptimizerName.of(r.optimization()),
          "`adamw`: AdamW with 32-bit moments. `adamw_8bit`: its moments in 8 bits as in bitsandbytes, a quarter of the memory; parameters of fewer than 4096 weights and embeddings keep 32. `paged_…`: the same bits, with only `paged_optimizer_memory` of the moments kept on the device. `lion`: half the memory; needs a learning rate about 3 to 10 times smaller. `adafactor`: moments of rows and columns only, with the learning rate as given. `sgd`: no state, unless `momentum` is set. The names `adamw_torch`, `adamw_bnb_8bit` and `paged_adamw_32bit` of transformers also work.");

  static final Key<Recipe, Double> LEARNING_RATE =
      Key.of(
          "learning_rate",
          above(0),
          value(2e-4),
          r -> r.optimization().learningRate().peak(),
          "Peak learning rate.");

  static final Key<Recipe, Schedule> LR_SCHEDULER =
      Key.of(
          "lr_scheduler",
          oneOf(Schedule.class),
          value(Schedule.COSINE),
          r -> r.optimization().learningRate().schedule(),
          "Shape of the learning rate after warm-up: constant, or falling linearly or along half a cosine to 0 at the end of"
              + " the run.");

  static final Key<Recipe, Double> WARMUP_RATIO =
      Key.when(
          "warmup_ratio",
          fromToBelow(0, 1),
          value(0.0),
          r ->
              r.optimization().learningRate().warmup() instanceof Warmup.Part(double ratio)
                  ? Optional.of(ratio)
                  : Optional.empty(),
          "Fraction of the steps over which the learning rate rises from 0 to its peak.");

  static final Key<Recipe, Integer> WARMUP_STEPS =
      Key.when(
          "warmup_steps",
          wholeNumber(0),
          otherwise("from `warmup_ratio`"),
          r ->
              r.optimization().learningRate().warmup() instanceof Warmup.Steps(int count)
                  ? Optional.of(count)
                  : Optional.empty(),
          "Number of steps over which the learning rate rises from 0 to its peak.");

  static final Key<Recipe, Double> WEIGHT_DECAY =
      Key.of(
          "weight_decay",
          atLeast(0),
          value(0.0),
          r -> r.optimization().optimizer().weightDecay(),
          "Decoupled weight decay, not applied to norms and biases.");

  static final Key<Recipe, Double> BETA1 =
      Key.when(
          "adam_beta1",
          fromToBelow(0, 1),
          value(0.9),
          r -> beta(r, AdamW.Settings::beta1, Lion.Settings::beta1),
          "With AdamW, decay of the mean of gradients; with `lion`, the share of the momentum in a step's direction.");

  static final Key<Recipe, Double> BETA2 =
      Key.when(
          "adam_beta2",
          fromToBelow(0, 1),
          value(0.999),
          r -> beta(r, AdamW.Settings::beta2, Lion.Settings::beta2),
          "With AdamW, decay of the mean of squared gradients; with `lion`, decay of the momentum, where 0.99 is usual.");

  static final Key<Recipe, Double> EPSILON =
      Key.when(
          "adam_epsilon",
          above(0),
          value(1e-8),
          r -> adamW(r).map(AdamW.Settings::epsilon),
          "With AdamW: added to the root of the mean of squared gradients.");

  static final Key<Recipe, Double> MOMENTUM =
      Key.when(
          "momentum",
          fromToBelow(0, 1),
          value(0.0),
          r ->
              r.optimization().optimizer() instanceof Sgd.Settings sgd
                  ? Optional.of(sgd.momentum())
                  : Optional.empty(),
          "With `sgd`: momentum coefficient; 0 = none.");

  static final Key<Recipe, Long> PAGED_MEMORY =
      Key.when(
          "paged_optimizer_memory",
          ByteSizes.size(),
          value(256_000_000L),
          r -> r.optimization().pagedMemory(),
          "With a paged optimizer: how much of its state stays on the device; the rest passes through page by page. On a GPU the rest lies in the host's memory, on the CPU in a file in `output_dir` that goes when the run ends. Does not change results.");

  static final Key<Recipe, Double> LORAPLUS_RATIO =
      Key.when(
          "loraplus_lr_ratio",
          above(0),
          otherwise("one rate for all"),
          r -> r.optimization().learningRate().loraPlus().map(LoraPlus::ratio),
          "Multiple of `learning_rate` for an adapter's B matrices and its vectors (LoRA+). 16 is usual.");

  static final Key<Recipe, Double> LORAPLUS_EMBEDDING =
      Key.when(
          "loraplus_lr_embedding",
          above(0),
          otherwise("1e-6 with `loraplus_lr_ratio`"),
          r -> r.optimization().learningRate().loraPlus().map(LoraPlus::embeddingRate),
          "The learning rate of adapted embeddings, with `loraplus_lr_ratio`.");

  static final Key<Recipe, Double> MAX_GRAD_NORM =
      Key.of(
          "max_grad_norm",
          atLeast(0),
          value(1.0),
          r -> r.optimization().maxGradNorm(),
          "Clip the gradient norm to this value; 0 = no clipping.");

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

  private static Optional<AdamW.Settings> adamW(Recipe r) {
    return switch (r.optimization().optimizer()) {
      case AdamW.Settings adamW -> Optional.of(adamW);
      case AdamW8bit.Settings(AdamW.Settings adamW) -> Optional.of(adamW);
      default -> Optional.empty();
    };
  }

  private static Optional<Double> beta(
      Recipe r, Function<AdamW.Settings, Double> ofAdamW, Function<Lion.Settings, Double> ofLion) {
    return r.optimization().optimizer() instanceof Lion.Settings lion
        ? Optional.of(ofLion.apply(lion))
        : adamW(r).map(ofAdamW);
  }

  private static void checkOptimizer(KeyValues<Recipe> v) {
    Optional<OptimizerName> chosen = v.find(OPTIMIZER);
    if (chosen.isEmpty()) {
      return;
    }
    OptimizerName optimizer = chosen.get();
    String unused = "not used with optimizer: " + OPTIMIZER.type().plain(optimizer) + "; remove it";
    if (!optimizer.isAdamW() && optimizer != OptimizerName.LION) {
      v.refuse(unused, BETA1, BETA2);
    }
    if (!optimizer.isAdamW()) {
      v.refuse(unused, EPSILON);
    }
    if (optimizer != OptimizerName.SGD) {
      v.refuse(unused, MOMENTUM);
    }
    if (!optimizer.isPaged()) {
      v.refuse(unused, PAGED_MEMORY);
    }
  }

  private static void checkLoraPlus(KeyValues<Recipe> v) {
    if (v.is(ModelKeys.ADAPTER, Recipe.Adapter.NONE)) {
      v.refuse(LoraKeys.UNUSED, LORAPLUS_RATIO, LORAPLUS_EMBEDDING);
    } else if (v.find(ModelKeys.ADAPTER)
        .filter(a -> !LoraKeys.METHOD.names().contains(a))
        .isPresent()) {
      v.refuse(LoraKeys.METHOD.unused(), LORAPLUS_RATIO, LORAPLUS_EMBEDDING);
    } else if (!v.given(LORAPLUS_RATIO)) {
      v.refuse("only used with loraplus_lr_ratio; remove it", LORAPLUS_EMBEDDING);
    }
  }

  private static void checkWarmup(KeyValues<Recipe> v) {
    if (v.given(WARMUP_RATIO)) {
      v.refuse("warmup_ratio is given too; keep one of them", WARMUP_STEPS);
    }
    int warmup = v.find(WARMUP_STEPS).orElse(0);
    v.find(TrainingKeys.MAX_STEPS)
        .filter(max -> warmup > max)
        .ifPresent(max ->
            v.problem(WARMUP_STEPS, "expected at most max_steps, " + max + ", got " + warmup));
  }

  static Optimization build(KeyValues<Recipe> v) {
    OptimizerName name = v.get(OPTIMIZER);
    Optional<LoraPlus> loraPlus =
        v.find(LORAPLUS_RATIO)
            .map(ratio -> new LoraPlus(ratio, v.find(LORAPLUS_EMBEDDING).orElse(1e-6)));
    Warmup warmup =
        v.find(WARMUP_STEPS)
            .<Warmup>map(Warmup.Steps::new)
            .orElseGet(() -> new Warmup.Part(v.get(WARMUP_RATIO)));
    return new Optimization(
        settings(name, v),
        name.isPaged() ? v.find(PAGED_MEMORY) : Optional.empty(),
        new LearningRate(v.get(LEARNING_RATE), v.get(LR_SCHEDULER), warmup, loraPlus),
        v.get(MAX_GRAD_NORM));
  }

  private static OptimizerSettings settings(OptimizerName name, KeyValues<Recipe> v) {
    double decay = v.get(WEIGHT_DECAY);
    return switch (name) {
      case ADAMW, PAGED_ADAMW -> adamW(v);
      case ADAMW_8BIT, PAGED_ADAMW_8BIT -> new AdamW8bit.Settings(adamW(v));
      case LION -> new Lion.Settings(v.get(BETA1), v.get(BETA2), decay);
      case ADAFACTOR -> new Adafactor.Settings(decay);
      case SGD -> new Sgd.Settings(v.get(MOMENTUM), decay);
    };
  }

  private static AdamW.Settings adamW(KeyValues<Recipe> v) {
    return new AdamW.Settings(v.get(BETA1), v.get(BETA2), v.get(EPSILON), v.get(WEIGHT_DECAY));
  }
}
