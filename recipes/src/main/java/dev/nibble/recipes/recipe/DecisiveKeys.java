package dev.nibble.recipes.recipe;

import dev.nibble.data.chat.TemplateChoice;
import dev.nibble.recipes.schema.Key;
import dev.nibble.recipes.yaml.YamlText;
import dev.nibble.trainer.run.RunSettings;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.SequencedMap;
import java.util.Set;

/**
 * What of a recipe decides the result of its run. Paths do not: the files that lie there do, and
 * {@code RunInput} is about those.
 */
final class DecisiveKeys {
  private static final Set<Key<Recipe, ?>> PATHS =
      Set.of(ModelKeys.BASE_MODEL, AdapterKeys.MODEL_DIR, PlanKeys.PLAN);

  private static final Set<Key<Recipe, ?>> LENGTH =
      Set.of(TrainingKeys.NUM_EPOCHS, TrainingKeys.MAX_STEPS);

  /** How a run is measured, which decides nothing unless the best is its result. */
  private static final Set<Key<Recipe, ?>> EVALUATION =
      Set.of(EvaluationKeys.EVAL_STEPS, DataKeys.TEST_DATASETS);

  /** How it is computed, which gives the same bits in any way, and when it gives up. */
  private static final Set<Key<Recipe, ?>> WITHOUT_EFFECT =
      Set.of(
          EvaluationKeys.ANSWER_EVAL,
          EvaluationKeys.EVAL_ON_START,
          EvaluationKeys.PATIENCE,
          TrainingKeys.MAX_SKIPPED_STEPS,
          TrainingKeys.CHECKPOINTING,
          OptimizationKeys.PAGED_MEMORY,
          MachineKeys.DEBUG,
          MachineKeys.DEVICE_MEMORY,
          MachineKeys.THREADS);

  private DecisiveKeys() {}

  static RunSettings of(Recipe recipe) {
    SequencedMap<String, String> decisive = new LinkedHashMap<>();
    SequencedMap<String, Long> length = new LinkedHashMap<>();
    RecipeKeys.SCHEMA.groups().stream()
        .filter(group -> !group.equals(OutputKeys.PART.group()))
        .flatMap(group -> group.keys().stream())
        .filter(key -> isDecisive(key, recipe))
        .forEach(key ->
            plain(key, recipe)
                .ifPresent(value -> {
                  if (LENGTH.contains(key)) {
                    length.put(key.name(), ((Number) value).longValue());
                  } else {
                    flatten(key.name(), value, decisive);
                  }
                }));
    return new RunSettings(decisive, length);
  }

  private static boolean isDecisive(Key<Recipe, ?> key, Recipe recipe) {
    return !PATHS.contains(key)
        && !WITHOUT_EFFECT.contains(key)
        && (recipe.output().best() || !EVALUATION.contains(key));
  }

  private static Optional<Object> plain(Key<Recipe, ?> key, Recipe recipe) {
    if (key.equals(OptimizationKeys.OPTIMIZER)) {
      return Optional.of(
          OptimizationKeys.OPTIMIZER
              .type()
              .plain(OptimizerName.of(recipe.optimization()).unpaged()));
    }
    if (key.equals(ChatKeys.CHAT_TEMPLATE)
        && recipe
            .data()
            .chat()
            .template()
            .filter(TemplateChoice.InFile.class::isInstance)
            .isPresent()) {
      return Optional.empty();
    }
    return key.plain(recipe);
  }

  /** Lists of maps, such as datasets, become {@code datasets.0.type} and so on. */
  private static void flatten(String name, Object value, SequencedMap<String, String> into) {
    switch (value) {
      case Map<?, ?> map ->
          map.forEach((key, inner) -> {
            if (!name.startsWith(DataKeys.DATASETS.name() + ".") || !key.equals(DatasetKeys.PATH)) {
              flatten(name + "." + key, inner, into);
            }
          });
      case List<?> list when list.stream().anyMatch(Map.class::isInstance) -> {
        for (int i = 0; i < list.size(); i++) {
          flatten(name + "." + i, list.get(i), into);
        }
      }
      default -> into.put(name, YamlText.inline(value));
    }
  }
}
