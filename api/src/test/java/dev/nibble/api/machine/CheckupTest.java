package dev.nibble.api.machine;

import static org.assertj.core.api.Assertions.assertThat;

import dev.nibble.api.machine.Finding.Status;
import dev.nibble.compute.kernels.KernelOptions;
import dev.nibble.compute.kernels.KernelSet;
import dev.nibble.compute.kernels.KernelSets;
import dev.nibble.compute.kernels.KernelUnavailable;
import dev.nibble.compute.kernels.Kernels;
import dev.nibble.compute.kernels.Platform.Architecture;
import dev.nibble.compute.kernels.Processor;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

class CheckupTest {
  @TempDir Path root;

  private static Finding named(Checkup checkup, String name) {
    return checkup.findings().stream().filter(f -> f.name().equals(name)).findFirst().orElseThrow();
  }

  @Test
  void thisMachineTrains() {
    Checkup checkup = Checkup.here();
    assertThat(checkup.trains()).isTrue();
    assertThat(named(checkup, "java").status()).isEqualTo(Status.OK);
    assertThat(named(checkup, "kernels cpu").text()).contains("oneDNN");
    JsonNode json = JsonMapper.shared().readTree(checkup.json());
    assertThat(json.get("trains").booleanValue()).isTrue();
    assertThat(json.get("findings").size()).isEqualTo(checkup.findings().size());
  }

  @Test
  void aMachineWithoutKernelsCannotTrain() {
    Checkup checkup = Checkup.of(root, Processor.here(), List.of(), root);
    assertThat(checkup.trains()).isFalse();
    assertThat(named(checkup, "memory").status()).isEqualTo(Status.WARNING);
    assertThat(Checkup.java(21).status()).isEqualTo(Status.PROBLEM);
    assertThat(Checkup.java(21).remedy().orElseThrow()).contains("JDK 25");
  }

  @Test
  void aMachineWithLittleMemory() throws IOException {
    Files.createDirectories(root.resolve("proc"));
    Files.writeString(
        root.resolve("proc/meminfo"), "MemTotal: 4194304 kB\nMemAvailable: 1048576 kB\n");
    Checkup checkup = Checkup.of(root, Processor.here(), KernelSets.installed(), root);
    Finding memory = named(checkup, "memory");
    assertThat(memory.status()).isEqualTo(Status.WARNING);
    assertThat(memory.text()).isEqualTo("4.00 GiB, 1.00 GiB available");
  }

  @Test
  void aProcessorIsJudgedByItsArchitecture() {
    Processor old = new Processor("Old One", Set.of("fpu", "sse2", "avx"));
    Finding slow = Checkup.processor(old, Architecture.X86_64);
    assertThat(slow.status()).isEqualTo(Status.WARNING);
    assertThat(slow.text()).contains("Old One", "without AVX2, AVX-512, bf16, AMX");

    Processor arm = new Processor("Arm One", Set.of("asimd", "bf16"));
    Finding neon = Checkup.processor(arm, Architecture.ARM64);
    assertThat(neon.status()).isEqualTo(Status.OK);
    assertThat(neon.text()).endsWith("cores, with bf16, without SVE");

    Finding untold = Checkup.processor(new Processor("On Windows", Set.of()), Architecture.X86_64);
    assertThat(untold.status()).isEqualTo(Status.OK);
    assertThat(untold.text()).endsWith("cores");
  }

  @Test
  void aCardThatCannotBeUsedIsAWarning() throws IOException {
    String reason = "the driver is missing";
    var set = new NoGpu(reason);
    assertThat(Gpus.findings(List.of(set), true).getFirst().remedy()).contains(reason);
    assertThat(Gpus.findings(List.of(set), false).getFirst().status()).isEqualTo(Status.OK);
    assertThat(Gpus.findings(List.of(), true).getFirst().status()).isEqualTo(Status.OK);
  }

  private record NoGpu(String reason) implements KernelSet {
    @Override
    public String name() {
      return "cuda";
    }

    @Override
    public Optional<String> unavailableBecause() {
      return Optional.of(reason);
    }

    @Override
    public String describe() {
      return reason;
    }

    @Override
    public Kernels open(KernelOptions options) {
      throw new KernelUnavailable(reason);
    }
  }
}
