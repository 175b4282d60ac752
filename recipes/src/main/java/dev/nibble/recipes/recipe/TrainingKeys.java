package dev.nibble.recipes.recipe;

import static dev.nibble.recipes.schema.Default.otherwise;
import static dev.nibble.recipes.schema.Default.value;
import static dev.nibble.recipes.schema.KeyTypes.autoFlag;
import static dev.nibble.recipes.schema.Numbers.above;
import static dev.nibble.recipes.schema.Numbers.longNumber;
import static dev.nibble.recipes.schema.Numbers.wholeNumber;

import dev.nibble.recipes.schema.AutoFlag;
import dev.nibble.recipes.schema.Key;
import dev.nibble.recipes.schema.KeyValues;
import dev.nibble.recipes.schema.Schema.Group;
import java.util.List;
import java.util.Optional;

/** Keys of the run's length and the size of its batches. */
final class TrainingKeys {
  private TrainingKeys() {}

  static final Key<Recipe, Integer> MICRO_BATCH_SIZE =
      Key.of(
          "micro_batch_size",
          wholeNumber(1),
          value(1),
          r -> r.training().microBatchSize(),
          "Samples in one forward and backward pass; with `sample_packing`, rows of `sequence_len` tokens.");

  static final Key<Recipe, Integer> ACCUMULATION =
      Key.of(
          "gradient_accumulation_steps",
          wholeNumber(1),
          value(1),
          r -> r.training().accumulation(),
          "Micro-batches in one optimizer step; the last step of an epoch takes what is left. The loss of a step is the mean over all its"
              + " tokens that are trained on, so that 1 × 4, 2 × 2 and 4 × 1 (`micro_batch_size` × this) train the same.");

  static final Key<Recipe, Integer> NUM_EPOCHS =
      Key.when(
          "num_epochs",
          wholeNumber(1),
          otherwise("1, or as many as `max_steps` needs"),
          r -> r.training().epochs(),
          "Passes over the data: each sample is trained on exactly once in each. With `max_steps`, the run ends at whichever comes first.");

  static final Key<Recipe, Integer> MAX_STEPS =
      Key.when(
          "max_steps",
          wholeNumber(1),
          otherwise("as many as `num_epochs` needs"),
          r -> r.training().maxSteps(),
          "Optimizer steps.");

  static final Key<Recipe, Integer> MAX_SKIPPED_STEPS =
      Key.of(
          "max_skipped_steps",
          wholeNumber(0),
          value(10),
          r -> r.training().mostSkipped(),
          "Steps that may be skipped because their loss or gradient is NaN or infinite. The rows are named, and no weight is touched. After"
              + " more the run stops with a checkpoint.");

  static final Key<Recipe, AutoFlag> CHECKPOINTING =
      Key.of(
          "gradient_checkpointing",
          autoFlag(),
          value(AutoFlag.AUTO),
          r -> r.training().checkpointing(),
          "Keep only the input of a layer and recompute its activations in the backward pass: far less memory, about a third more"
              + " time, the same bits. `true`: in every layer, `false`: in none, `auto`: in those whose activations do not fit into"
              + " the memory that is free at the start.");

  static final Key<Recipe, Double> NOISE =
      Key.when(
          "neftune_noise_alpha",
          above(0),
          otherwise("no noise"),
          r -> Optional.of(r.training().embeddingNoise()).filter(a -> a > 0),
          "Adds uniform noise to the embeddings of a sample of L tokens when training (NEFTune), of magnitude"
              + " `neftune_noise_alpha / sqrt(L × hidden size)`. 5 is usual.");

  static final Key<Recipe, Long> SEED =
      Key.of(
          "seed",
          longNumber(),
          value(42L),
          r -> r.training().seed(),
          "Seed for everything random: new weights, dropout, the order of samples, the held-out samples.");

  static final RecipeKeys.Part PART =
      new RecipeKeys.Part(
          new Group<>(
              "Training",
              List.of(
                  MICRO_BATCH_SIZE,
                  ACCUMULATION,
                  NUM_EPOCHS,
                  MAX_STEPS,
                  MAX_SKIPPED_STEPS,
                  CHECKPOINTING,
                  NOISE,
                  SEED)),
          List.of());

  static Recipe.Training build(KeyValues<Recipe> v) {
    Optional<Integer> maxSteps = v.find(MAX_STEPS);
    Optional<Integer> epochs = v.find(NUM_EPOCHS);
    return new Recipe.Training(
        v.get(MICRO_BATCH_SIZE),
        v.get(ACCUMULATION),
        epochs.isEmpty() && maxSteps.isEmpty() ? Optional.of(1) : epochs,
        maxSteps,
        v.get(MAX_SKIPPED_STEPS),
        v.get(CHECKPOINTING),
        v.find(NOISE).orElse(0.0),
        v.get(SEED));
  }
}
