package dev.nibble.api.machine;

import dev.nibble.api.text.Human;
import dev.nibble.compute.kernels.KernelSet;
import dev.nibble.compute.kernels.KernelSets;
import dev.nibble.compute.kernels.Platform;
import dev.nibble.compute.kernels.Processor;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.node.ArrayNode;
import tools.jackson.databind.node.ObjectNode;

/**
 * The check of a machine that {@code nibble doctor} prints: what matters to Nibble, and how to fix
 * what is wrong.
 *
 * @param findings in the order of the report
 * @param trains whether any kernel set can run
 */
public record Checkup(List<Finding> findings, boolean trains) {
  private static final int JAVA = 25;
  private static final long LITTLE_MEMORY = 2L << 30;
  private static final long LITTLE_DISK = 5L << 30;

  /** An instruction set: its name among a processor's flags, and in words. */
  private record Feature(String flag, String text) {}

  private static final List<Feature> OF_X86 =
      List.of(
          new Feature("avx2", "AVX2"),
          new Feature("avx512f", "AVX-512"),
          new Feature("avx512_bf16", "bf16"),
          new Feature("amx_bf16", "AMX"));
  private static final List<Feature> OF_ARM =
      List.of(new Feature("sve", "SVE"), new Feature("bf16", "bf16"));

  /** Looks at this machine. */
  public static Checkup here() {
    return of(Path.of("/"), Processor.here(), KernelSets.installed(), Path.of("").toAbsolutePath());
  }

  /**
   * Looks at a machine.
   *
   * @param root where its proc and sys are
   * @param output a folder that runs are written below
   */
  static Checkup of(Path root, Processor processor, List<KernelSet> sets, Path output) {
    List<Finding> findings = new ArrayList<>();
    findings.add(java(Runtime.version().feature()));
    findings.add(processor(processor, Platform.here().architecture()));
    findings.add(memory(root));
    for (KernelSet set : sets) {
      if (!set.name().equals("cuda")) {
        findings.add(kernels(set));
      }
    }
    findings.addAll(Gpus.findings(sets, Files.exists(root.resolve("dev/nvidiactl"))));
    findings.add(disk("outputs", output));
    findings.add(disk("temporary", Path.of(System.getProperty("java.io.tmpdir"))));
    findings.add(disk("home", Path.of(System.getProperty("user.home"))));
    boolean trains =
        Runtime.version().feature() >= JAVA
            && sets.stream().anyMatch(s -> s.unavailableBecause().isEmpty());
    return new Checkup(List.copyOf(findings), trains);
  }

  static Finding java(int feature) {
    String text =
        "%s, %s".formatted(Runtime.version(), System.getProperty("java.vm.name", "unknown"));
    return feature >= JAVA
        ? Finding.ok("java", text)
        : Finding.problem("java", text, "install a JDK 25; NIBBLE_JAVA_HOME names its folder");
  }

  /** {@code flags} are empty where the system does not tell them. */
  static Finding processor(Processor processor, Platform.Architecture architecture) {
    Set<String> flags = processor.flags();
    List<Feature> features =
        switch (architecture) {
          case X86_64 -> OF_X86;
          case ARM64 -> OF_ARM;
          case OTHER -> List.of();
        };
    Map<Boolean, List<String>> has =
        (flags.isEmpty() ? List.<Feature>of() : features)
            .stream()
                .collect(
                    Collectors.partitioningBy(
                        f -> flags.contains(f.flag()),
                        Collectors.mapping(Feature::text, Collectors.toList())));
    List<String> with = has.getOrDefault(true, List.of());
    List<String> without = has.getOrDefault(false, List.of());
    String text =
        "%s, %d cores%s%s"
            .formatted(
                processor.name(),
                Runtime.getRuntime().availableProcessors(),
                with.isEmpty() ? "" : ", with " + String.join(", ", with),
                without.isEmpty() ? "" : ", without " + String.join(", ", without));
    return without.contains("AVX2")
        ? Finding.warning(
            "processor", text, "the CPU kernels are made for AVX2 and later; training will be slow")
        : Finding.ok("processor", text);
  }

  private static Finding memory(Path root) {
    return HostMemory.read(root)
        .map(m -> {
          String text =
              "%s, %s available%s"
                  .formatted(
                      size(m.total()),
                      size(m.available()),
                      m.limit().isPresent() ? ", limited to " + size(m.limit().getAsLong()) : "");
          return m.available() >= LITTLE_MEMORY
              ? Finding.ok("memory", text)
              : Finding.warning(
                  "memory",
                  text,
                  "end other programs, or raise the container's limit; nibble estimate shows what a recipe needs");
        })
        .orElseGet(() ->
            Finding.warning(
                "memory",
                "unknown on this system",
                "Nibble cannot check whether a run fits before it starts"));
  }

  private static Finding kernels(KernelSet set) {
    String name = "kernels " + set.name();
    return set.unavailableBecause()
        .map(reason -> Finding.warning(name, "cannot run here", reason))
        .orElseGet(() -> Finding.ok(name, "can run: " + set.describe()));
  }

  private static Finding disk(String name, Path folder) {
    try {
      long free = Files.getFileStore(folder).getUsableSpace();
      String text = "%s free in %s".formatted(size(free), folder);
      if (!Files.isWritable(folder)) {
        return Finding.warning(name, folder + " cannot be written", "change its permissions");
      }
      return free >= LITTLE_DISK
          ? Finding.ok(name, text)
          : Finding.warning(name, text, "checkpoints may not fit; free some space");
    } catch (IOException e) {
      return Finding.warning(name, folder + " cannot be looked at", String.valueOf(e.getMessage()));
    }
  }

  static String size(long bytes) {
    return Human.bytes(bytes);
  }

  /** One line of JSON. */
  public String json() {
    ObjectNode json = JsonMapper.shared().createObjectNode();
    json.put("trains", trains);
    ArrayNode list = json.putArray("findings");
    for (Finding f : findings) {
      ObjectNode o = list.addObject();
      o.put("name", f.name());
      o.put("status", f.status().name().toLowerCase(Locale.ROOT));
      o.put("text", f.text());
      f.remedy().ifPresent(r -> o.put("remedy", r));
    }
    return JsonMapper.shared().writeValueAsString(json);
  }
}
