package dev.nibble.api;

import static org.assertj.core.api.Assertions.assertThat;

import dev.nibble.api.estimate.Estimate;
import dev.nibble.api.event.Event;
import dev.nibble.api.planning.FreeMemory;
import dev.nibble.recipes.recipe.Recipe;
import dev.nibble.recipes.recipe.Recipes;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/** What a run is estimated to need. */
class EstimateTest {
  private final List<Event> events = new ArrayList<>();
  private final Nibble nibble = Nibble.reportingTo(events::add);

  @TempDir private Path folder = Path.of("");

  private Estimate estimate(long memory) throws IOException {
    TinyRun.in(folder);
    Recipe recipe =
        Recipes.read(folder.resolve("pretrain.yaml"), List.of("device=cpu", "max_steps=5"));
    return nibble.estimate(recipe, memory);
  }

  @Test
  void measuresWhatStepsReach() throws IOException {
    Estimate estimate = estimate(1L << 30);
    assertThat(estimate.fits()).isTrue();
    assertThat(estimate.needed()).isEqualTo(estimate.plan().tensors() + FreeMemory.JAVA);
    assertThat(estimate.longest()).hasValue(128);
    assertThat(estimate.time().steps()).isEqualTo(5);
    assertThat(estimate.time().seconds()).isPositive();
    assertThat(estimate.time().reached()).isInstanceOf(Estimate.Reached.Measured.class);
    assertThat(estimate.time().reached().share()).isBetween(1e-6, 1.0);
    assertThat(estimate.lengths()).extracting(Estimate.Length::sequenceLength).contains(32);
    assertThat(estimate.budget().orElseThrow().words()).isEqualTo("1.00 GiB, as asked for");
    assertThat(events)
        .contains(
            new Event.Working(Event.Activity.PLANNING_MEMORY),
            new Event.Working(Event.Activity.TIMING_LAYERS))
        .hasAtLeastOneElementOfType(Event.DataRead.class);
    JsonNode json = JsonMapper.shared().readTree(estimate.json());
    assertThat(json.get("tensors").longValue()).isEqualTo(estimate.plan().tensors());
    assertThat(json.propertyNames())
        .contains("memory", "available", "fits", "largest_sequence_len", "lengths", "seconds");
  }

  @Test
  void assumesWhereNothingFitsToTry() throws IOException {
    Estimate estimate = estimate(FreeMemory.JAVA + 1000);
    assertThat(estimate.fits()).isFalse();
    assertThat(estimate.time().reached())
        .isEqualTo(new Estimate.Reached.Assumed("there is too little memory to measure"));
    assertThat(estimate.json()).contains("\"efficiency_measured\":false");
  }
}
