package dev.nibble.api;

import static org.assertj.core.api.Assertions.assertThat;

import dev.nibble.api.event.Event;
import dev.nibble.compute.safetensors.Safetensors;
import dev.nibble.compute.safetensors.SafetensorsFile;
import dev.nibble.recipes.recipe.Recipes;
import dev.nibble.trainer.train.Report;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.ToDoubleFunction;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What a step learns from does not depend on how its samples are divided into micro-batches. */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class AccumulationTest {
  private Path folder = Path.of("");

  @BeforeAll
  void pretrain(@TempDir Path temp) throws IOException {
    folder = temp;
    TinyRun.in(folder);
    Nibble.silent().tuner(Recipes.read(folder.resolve("pretrain.yaml"), List.of())).train();
  }

  /** A run over some rows; steps and the adapter that it ends with. */
  private record Run(
      List<Report.StepReport> steps, Event.StepSize size, Map<String, float[]> adapter) {
    float[] matrix(String name) {
      return Optional.ofNullable(adapter.get(name)).orElseThrow();
    }

    List<Double> each(ToDoubleFunction<Report.StepReport> value) {
      return steps.stream().map(value::applyAsDouble).toList();
    }
  }

  private Run train(int rows, int samples, int accumulation, boolean packing) throws IOException {
    Path out = folder.resolve("%d-%d-%d-%s".formatted(rows, samples, accumulation, packing));
    List<Event> events = new ArrayList<>();
    List<String> sets =
        List.of(
            "bf16=false",
            "lora_dropout=0",
            "datasets.0.limit=" + rows,
            "val_set_size=0",
            "answer_eval=",
            "max_steps=",
            "num_epochs=2",
            "warmup_ratio=0",
            "micro_batch_size=" + samples,
            "gradient_accumulation_steps=" + accumulation,
            "sample_packing=" + packing,
            "output_dir=" + out);
    Nibble.reportingTo(events::add).tuner(Recipes.read(folder.resolve("qlora.yaml"), sets)).train();
    Map<String, float[]> adapter = new HashMap<>();
    try (SafetensorsFile file = Safetensors.open(out.resolve("adapter_model.safetensors"))) {
      file.names().forEach(name -> adapter.put(name, file.tensor(name).toFloats()));
    }
    List<Report.StepReport> steps =
        events.stream()
            .filter(Event.LoopReport.class::isInstance)
            .map(e -> ((Event.LoopReport) e).report())
            .filter(Report.StepReport.class::isInstance)
            .map(Report.StepReport.class::cast)
            .toList();
    Event.RunPrepared prepared =
        (Event.RunPrepared)
            events.stream().filter(Event.RunPrepared.class::isInstance).findFirst().orElseThrow();
    return new Run(steps, prepared.step(), adapter);
  }

  @ParameterizedTest
  @ValueSource(booleans = {true, false})
  void fourSamplesAreFourHoweverTheyAreDivided(boolean packing) throws IOException {
    int rows = packing ? 37 : 7;
    Run whole = train(rows, 4, 1, packing);
    assertThat(whole.steps().getLast().epoch()).isEqualTo(2);
    for (int samples : new int[] {1, 2}) {
      Run divided = train(rows, samples, 4 / samples, packing);
      assertThat(divided.each(Report.StepReport::tokens))
          .isEqualTo(whole.each(Report.StepReport::tokens));
      assertThat(divided.each(Report.StepReport::epoch))
          .isEqualTo(whole.each(Report.StepReport::epoch));
      assertThat(divided.adapter()).hasSameSizeAs(whole.adapter());
      divided
          .adapter()
          .forEach((name, actual) ->
              assertThat(distance(actual, whole.matrix(name))).as(name).isLessThan(1e-3));
    }
  }

  /** Seven rows and sixteen micro-batches a step: an epoch is one step of seven. */
  @Test
  void anEpochEndsAStep() throws IOException {
    Run run = train(7, 1, 16, false);
    assertThat(run.each(Report.StepReport::epoch)).containsExactly(1.0, 2.0);
    assertThat(run.each(Report.StepReport::tokens)).containsOnly(run.size().tokens());
    assertThat(run.size().microBatches()).isEqualTo(7);
    assertThat(run.size().samples()).isEqualTo(7);
  }

  /** Of two vectors, as a part of the second's length. */
  private static double distance(float[] actual, float[] expected) {
    double difference = 0;
    double length = 0;
    for (int i = 0; i < expected.length; i++) {
      difference += Math.pow((double) actual[i] - expected[i], 2);
      length += Math.pow(expected[i], 2);
    }
    return Math.sqrt(difference / length);
  }
}
