package dev.nibble.cli.report;

import static org.assertj.core.api.Assertions.assertThat;

import dev.nibble.trainer.checkpoint.TrainerState;
import dev.nibble.trainer.train.Report;
import java.util.List;
import org.junit.jupiter.api.Test;

final class LossesTest {
  private final Losses losses = new Losses();

  private void step(double loss) {
    losses.accept(new Report.StepReport(1, 20, 0.5, loss, 2e-4, 0.5, 512, 100, 812.4, 102));
  }

  private void evaluation(long step, double loss) {
    losses.accept(new Report.EvaluationReport(step, 20, 0, loss, Math.exp(loss), 9, 1, false));
  }

  @Test
  void eachHalvingIsAsHigh() {
    for (double loss : new double[] {128, 64, 32, 16, 8, 4, 2, 1}) {
      step(loss);
    }
    assertThat(losses.curve(8)).isEqualTo("█▇▆▅▄▃▂▁");
    assertThat(losses.curve(99)).isEqualTo("█▇▆▅▄▃▂▁");
    assertThat(losses.curve(2)).isEqualTo("█▁");
  }

  @Test
  void aBlockIsTheMeanOfItsSteps() {
    for (double loss : new double[] {1, 3, 2, 2, 0.5, 1.5}) {
      step(loss);
    }
    assertThat(losses.curve(3)).isEqualTo("██▁");
  }

  @Test
  void whatDoesNotChangeIsFlat() {
    step(2);
    assertThat(losses.curve(8)).as("one step has no course").isEmpty();
    step(2);
    assertThat(losses.curve(8)).isEqualTo("▁▁");
    step(0);
    assertThat(losses.curve(8)).isEqualTo("██▁");
  }

  @Test
  void aResumedRunKnowsWhatWasBefore() {
    TrainerState.Run run = new TrainerState.Run(20, 1, 1, 1);
    List<TrainerState.Entry> history =
        List.of(
            new TrainerState.Entry(0, TrainerState.Kind.VALIDATION, 9),
            new TrainerState.Entry(1, TrainerState.Kind.TRAINING, 4),
            new TrainerState.Entry(1, TrainerState.Kind.VALIDATION, 5));
    losses.accept(
        new Report.ResumeReport(
            1, new TrainerState(1, 0, 0, run, 0, 1, 9, 9, TrainerState.Best.NONE, history, 0)));
    step(2);
    evaluation(2, 3);

    assertThat(losses.training()).containsExactly(4.0, 2.0);
    assertThat(losses.start()).hasValue(9);
  }
}
