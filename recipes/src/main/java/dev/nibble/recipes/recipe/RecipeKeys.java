package dev.nibble.recipes.recipe;

import dev.nibble.recipes.schema.KeyValues;
import dev.nibble.recipes.schema.Schema;
import dev.nibble.recipes.schema.Schema.Group;
import java.util.List;
import java.util.function.Consumer;

/** The table of all keys. */
final class RecipeKeys {
  private RecipeKeys() {}

  /** Keys that are read, written and documented together, and the checks between them. */
  record Part(Group<Recipe> group, List<Consumer<KeyValues<Recipe>>> checks) {}

  private static final List<Part> PARTS =
      List.of(
          ModelKeys.PART,
          LoraKeys.PART,
          Ia3Keys.PART,
          VeraKeys.PART,
          DataKeys.PART,
          TrainingKeys.PART,
          OptimizationKeys.PART,
          EvaluationKeys.PART,
          OutputKeys.PART,
          MachineKeys.PART);

  static final Schema<Recipe> SCHEMA =
      new Schema<>(
          PARTS.stream().map(Part::group).toList(),
          PARTS.stream().<Consumer<KeyValues<Recipe>>>flatMap(p -> p.checks().stream()).toList(),
          v ->
              new Recipe(
                  ModelKeys.build(v),
                  DataKeys.build(v),
                  TrainingKeys.build(v),
                  OptimizationKeys.build(v),
                  EvaluationKeys.build(v),
                  OutputKeys.build(v),
                  MachineKeys.build(v)));
}
