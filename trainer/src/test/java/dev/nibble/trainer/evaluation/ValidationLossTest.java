package dev.nibble.trainer.evaluation;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import dev.nibble.compute.tensor.Memory;
import dev.nibble.compute.tensor.Scope;
import dev.nibble.data.Batch;
import dev.nibble.data.Sample;
import dev.nibble.trainer.objective.LossSum;
import dev.nibble.trainer.toy.ToyData;
import dev.nibble.trainer.toy.ToyLm;
import dev.nibble.trainer.toy.ToyLoss;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

final class ValidationLossTest {
  @Test
  void sumsOverAllBatches() {
    try (Scope scope = Scope.open("test", Memory.host())) {
      List<Batch> batches = ToyData.chains(5, 4, 1);
      List<Integer> done = new ArrayList<>();
      LossSum loss =
          new ValidationLoss(new ToyLm(4, scope), new ToyLoss(), batches, done::add).measure();

      assertThat(done).hasSize(batches.size()).startsWith(0).isSorted();
      assertThat(loss.terms()).isEqualTo(batches.stream().mapToLong(Batch::supervisedTokens).sum());
      assertThat(Math.exp(loss.mean())).isCloseTo(4, within(1e-9));
    }
  }

  @Test
  void namesTheSampleWhoseLossIsNotFinite() {
    try (Scope scope = Scope.open("test", Memory.host())) {
      ToyLm model = new ToyLm(4, scope);
      Batch first = ToyData.chains(1, 4, 1).getFirst();
      Batch two =
          Batch.of(
                  List.of(
                      new Sample(new int[] {1, 2, 3}, new boolean[] {false, true, true}),
                      new Sample(new int[] {3, 0}, new boolean[] {false, true})))
              .from(List.of("held.jsonl, row 1", "held.jsonl, row 2"));
      ToyLoss loss = new ToyLoss(batch -> batch.places().contains("held.jsonl, row 2"));
      assertThatThrownBy(
              () -> new ValidationLoss(model, loss, List.of(first, two), done -> {}).measure())
          .isInstanceOf(EvaluationException.class)
          .hasMessage("the validation loss is NaN for held.jsonl, row 2, first in the loss");
      model.parameters().named("table").weight().setFloat(5, Double.POSITIVE_INFINITY);
      assertThatThrownBy(() ->
              new ValidationLoss(model, new ToyLoss(), List.of(first, two), done -> {}).measure())
          .hasMessageContaining("first in table");
    }
  }

  @Test
  void refusesDataWithoutASupervisedToken() {
    Batch batch =
        new Batch(new int[] {1}, new int[] {Batch.IGNORE}, new int[] {0}, new int[] {0, 1});
    try (Scope scope = Scope.open("test", Memory.host())) {
      ToyLm model = new ToyLm(4, scope);
      assertThatThrownBy(() -> new ValidationLoss(model, new ToyLoss(), List.of(batch), done -> {}))
          .hasMessageContaining("no token to predict in 1 batches");
      assertThatThrownBy(() -> new ValidationLoss(model, new ToyLoss(), List.of(), done -> {}))
          .hasMessageContaining("no token to predict in 0 batches");
    }
  }
}
