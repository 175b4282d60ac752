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
import org.junit.jupiter.api.Test;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

class BenchRunTest {
  private static final Machine MACHINE = new Machine("cpu", KernelOptions.ofThreads(1));

  @Test
  void trainsAndTellsEachStep() {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    Console console = Console.plain(new PrintStream(out, true, StandardCharsets.UTF_8));
    BenchResult result =
        new BenchRun(
                new BenchRun.Request(BenchShape.TINY, "hqq-3", 24, 2, 2, AutoFlag.AUTO, MACHINE),
                console)
            .run();
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
  }
}
