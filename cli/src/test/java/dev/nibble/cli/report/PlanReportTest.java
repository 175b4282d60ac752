package dev.nibble.cli.report;

import static org.assertj.core.api.Assertions.assertThat;

import dev.nibble.api.plan.PlanResult.PlannedMatrix;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

final class PlanReportTest {
  private static List<PlannedMatrix> layer(int index, String q, String up) {
    return List.of(
        new PlannedMatrix("model.layers.%d.self_attn.q_proj.weight".formatted(index), q, 1, 0),
        new PlannedMatrix("model.layers.%d.mlp.up_proj.weight".formatted(index), up, 1, 0));
  }

  @Test
  void neighboursThatArePlannedAlikeShareARow() {
    List<PlannedMatrix> all = new ArrayList<>();
    all.addAll(layer(0, "nf4", "nf3"));
    all.addAll(layer(1, "nf4", "nf3"));
    all.addAll(layer(2, "nf4", "nf3"));
    all.addAll(layer(3, "hqq-2", "nf3"));
    all.addAll(layer(4, "nf4", "nf3"));
    all.add(new PlannedMatrix("model.layers.4.mlp.down_proj.weight", "nf4", 1, 0));
    assertThat(PlanReport.map(all))
        .containsExactly(
            List.of("layer", "q", "up", "down"),
            List.of("0-2", "nf4", "nf3", "-"),
            List.of("3", "hqq-2", "nf3", "-"),
            List.of("4", "nf4", "nf3", "nf4"));
  }
}
