package dev.nibble.cli.bench;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import dev.nibble.cli.terminal.Console;
import dev.nibble.compute.kernels.KernelOptions;
import dev.nibble.recipes.recipe.Machine;
import dev.nibble.recipes.schema.AutoFlag;
import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

class BenchRunTest {
  private static final Machine MACHINE =
      new Machine("cpu", KernelOptions.ofThreads(1).debugging(KernelOptions.Debug.PROFILE));

  @Test
  void trainsAndTellsEachStep() {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    Console console = Console.plain(new PrintStream(out, true, StandardCharsets.UTF_8));
    List<BenchResult> results = new ArrayList<>();
    new BenchRun(
            new BenchRun.Request(
                BenchShape.TINY,
                "hqq-3",
                List.of(new BenchSize(24, 2), new BenchSize(16, 1)),
                List.of(AutoFlag.AUTO),
                2,
                MACHINE),
            console)
        .run(results::add);
    BenchResult result = results.getFirst();
    assertThat(result.losses()).hasSize(3);
    assertThat(result.losses().getFirst()).isEqualTo(Math.log(4096), within(0.3));
    assertThat(result.losses().getLast()).isLessThan(result.losses().getFirst());
    assertThat(result.tokensPerSecond() * result.stepSeconds()).isEqualTo(48, within(1e-6));
    assertThat(result.share()).isBetween(0.0, 1.5);
    assertThat(out.toString(StandardCharsets.UTF_8)).contains("warm-up: loss", "step 2: loss");
    JsonNode json = JsonMapper.shared().readTree(result.json());
    assertThat(result.json()).doesNotContain("\n");
    assertThat(json.propertyNames())
        .contains(
            "shape",
            "seq",
            "kept_layers",
            "step_s",
            "tok_s",
            "quantise_s",
            "losses",
            "gemm_tflops",
            "share");
    assertThat(json.get("heap_bytes_per_step").longValue()).isEqualTo(result.heapBytes());
    assertThat(json.get("losses").size()).isEqualTo(3);
    JsonNode profile = json.get("profile");
    assertThat(profile.get("seconds").doubleValue()).isPositive();
    assertThat(profile.get("kernels").values())
        .anyMatch(k ->
            k.get("name").stringValue().equals("frozenForward [N, 1408, 512]")
                // Up and gate of four layers, again where they are recomputed.
                && k.get("calls").intValue() % 8 == 0
                && k.get("share").doubleValue() > 0);
    assertThat(out.toString(StandardCharsets.UTF_8)).contains("of peak", "gaps");
    assertThat(results.getLast().processPeak()).isEmpty();
    assertThat(results.getLast().size()).isEqualTo(new BenchSize(16, 1));
  }
}
