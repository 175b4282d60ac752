package dev.nibble.trainer.checkpoint;

import dev.nibble.compute.kernels.HostCopies;
import dev.nibble.compute.safetensors.Safetensors;
import dev.nibble.compute.safetensors.SafetensorsFile;
import dev.nibble.compute.safetensors.SafetensorsWriter;
import dev.nibble.compute.tensor.Tensor;
import dev.nibble.errors.Remedy;
import dev.nibble.quant.NonFinite;
import dev.nibble.trainer.optim.Optimizer;
import dev.nibble.trainer.optim.OptimizerState.Entry;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;

/**
 * {@code optimizer.safetensors}: the state of every parameter, under the parameter's name, and
 * which optimizer's it is. Where state lies in a run makes no difference.
 */
final class OptimizerFile {
  static final String NAME = "optimizer.safetensors";
  private static final String KIND = "optimizer";

  private OptimizerFile() {}

  static void write(Path folder, Optimizer optimizer, HostCopies host) throws IOException {
    SafetensorsWriter.write(
        folder.resolve(NAME),
        optimizer.state().save(host),
        Map.of("format", "nibble", KIND, optimizer.name()));
  }

  /** Restores the state, after checking that the file holds exactly that of the parameters. */
  static void read(Path folder, Optimizer optimizer, long steps) throws IOException {
    Path path = folder.resolve(NAME);
    try (SafetensorsFile file = Safetensors.open(path)) {
      checkKind(path, file, optimizer);
      check(path, file, optimizer.state().entries());
      optimizer.state().restore(file::tensor);
      optimizer.resumeAfter(steps);
    }
  }

  private static void checkKind(Path path, SafetensorsFile file, Optimizer optimizer) {
    String kind = file.metadata().getOrDefault(KIND, "adamw"); // it was the only one at first
    if (!kind.equals(optimizer.name())) {
      throw new CheckpointException(
          "%s holds the state of optimizer %s, the run has %s"
              .formatted(path, kind, optimizer.name()),
          Remedy.RESUME_SAME_SETTINGS);
    }
  }

  private static void check(Path path, SafetensorsFile file, List<Entry> entries) {
    List<String> wrong = new ArrayList<>();
    for (Entry e : entries) {
      if (!file.has(e.name())) {
        wrong.add("%s %s is missing".formatted(e.name(), e.shape()));
        continue;
      }
      Tensor t = file.tensor(e.name());
      if (!t.shape().equals(e.shape()) || t.dtype() != e.dtype()) {
        wrong.add(
            "%s is %s%s, the run has %s%s"
                .formatted(e.name(), t.dtype(), t.shape(), e.dtype(), e.shape()));
      } else if (t.dtype().isFloating()) {
        NonFinite.refuse(t, path.toString());
      }
    }
    Set<String> expected = entries.stream().map(Entry::name).collect(Collectors.toSet());
    for (String name : file.names()) {
      if (!expected.contains(name)) {
        wrong.add("the run has no %s".formatted(name));
      }
    }
    if (!wrong.isEmpty()) {
      throw new CheckpointException(
          "%s belongs to a run that trains other parameters: %s%s"
              .formatted(
                  path,
                  String.join("; ", wrong.subList(0, Math.min(3, wrong.size()))),
                  wrong.size() > 3 ? "; and %d more".formatted(wrong.size() - 3) : ""),
          Remedy.RESUME_SAME_SETTINGS);
    }
  }
}
