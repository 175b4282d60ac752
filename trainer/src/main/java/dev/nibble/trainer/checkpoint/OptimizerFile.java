package dev.nibble.trainer.checkpoint;

import dev.nibble.adapters.Parameters.Parameter;
import dev.nibble.compute.kernels.HostCopies;
import dev.nibble.compute.kernels.Kernels;
import dev.nibble.compute.safetensors.Safetensors;
import dev.nibble.compute.safetensors.SafetensorsFile;
import dev.nibble.compute.safetensors.SafetensorsWriter;
import dev.nibble.compute.tensor.Tensor;
import dev.nibble.trainer.optim.AdamW;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** {@code optimizer.safetensors}: both moments of every parameter, under the parameter's name. */
final class OptimizerFile {
  static final String NAME = "optimizer.safetensors";
  private static final String FIRST = ".exp_avg";
  private static final String SECOND = ".exp_avg_sq";

  private OptimizerFile() {}

  /** Views of the flat moments, one for each tensor of the file. */
  private static Map<String, Tensor> views(AdamW optimizer, Tensor first, Tensor second) {
    Map<String, Tensor> views = new LinkedHashMap<>();
    long offset = 0;
    for (Parameter p : optimizer.parameters().all()) {
      views.put(p.name() + FIRST, part(first, offset, p));
      views.put(p.name() + SECOND, part(second, offset, p));
      offset += p.weight().elements();
    }
    return views;
  }

  private static Tensor part(Tensor flat, long offset, Parameter p) {
    return flat.part(offset, p.weight().shape().dims());
  }

  static void write(Path folder, AdamW optimizer, HostCopies host) throws IOException {
    Map<String, Tensor> moments =
        views(optimizer, host.of(optimizer.firstMoment()), host.of(optimizer.secondMoment()));
    SafetensorsWriter.write(folder.resolve(NAME), moments, Map.of("format", "nibble"));
  }

  /** Restores the moments, after checking that the file holds exactly those of the parameters. */
  static void read(Path folder, AdamW optimizer, long steps, Kernels kernels) throws IOException {
    Path path = folder.resolve(NAME);
    try (SafetensorsFile file = Safetensors.open(path)) {
      Map<String, Tensor> moments =
          views(optimizer, optimizer.firstMoment(), optimizer.secondMoment());
      check(path, file, moments);
      moments.forEach((name, moment) -> kernels.copy(moment, file.tensor(name)));
      optimizer.resumeAfter(steps);
    }
  }

  private static void check(Path path, SafetensorsFile file, Map<String, Tensor> moments) {
    List<String> wrong = new ArrayList<>();
    moments.forEach((name, moment) -> {
      if (!file.names().contains(name)) {
        wrong.add("%s %s is missing".formatted(name, moment.shape()));
      } else if (!file.tensor(name).shape().equals(moment.shape())
          || file.tensor(name).dtype() != moment.dtype()) {
        Tensor t = file.tensor(name);
        wrong.add(
            "%s is %s%s, the run has %s%s"
                .formatted(name, t.dtype(), t.shape(), moment.dtype(), moment.shape()));
      }
    });
    for (String name : file.names()) {
      if (!moments.containsKey(name)) {
        wrong.add("the run has no %s".formatted(name));
      }
    }
    if (!wrong.isEmpty()) {
      throw new CheckpointException(
          ("%s belongs to a run that trains other parameters: %s%s. Resume with the recipe that the checkpoint was made"
                  + " with, or start a new run in another output_dir")
              .formatted(
                  path,
                  String.join("; ", wrong.subList(0, Math.min(3, wrong.size()))),
                  wrong.size() > 3 ? "; and %d more".formatted(wrong.size() - 3) : ""));
    }
  }
}
