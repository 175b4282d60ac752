package dev.nibble.trainer.model.build;

import dev.nibble.compute.safetensors.StoredTensors;
import dev.nibble.compute.tensor.DType;
import dev.nibble.compute.tensor.Shape;
import dev.nibble.compute.tensor.Tensor;
import dev.nibble.quant.StoredWeights;
import dev.nibble.trainer.model.ModelException;
import dev.nibble.trainer.model.config.ModelTensors;
import dev.nibble.trainer.model.config.TensorSpec;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;

/** Compares a checkpoint with what the config asks for, and reports every difference at once. */
final class CheckpointCheck {
  private static final Set<DType> READABLE = EnumSet.of(DType.F32, DType.BF16, DType.F16);

  private CheckpointCheck() {}

  static void check(
      Path folder, StoredTensors checkpoint, StoredWeights stored, List<TensorSpec> expected) {
    List<String> problems = new ArrayList<>();
    Set<String> unexpected = new TreeSet<>(stored.tensors(checkpoint.names()));
    for (TensorSpec spec : expected) {
      if (!unexpected.remove(spec.name())) {
        problems.add("missing " + spec.name() + " " + spec.shape());
        continue;
      }
      if (stored.shape(spec.name()).isPresent()) {
        check(spec, stored.shape(spec.name()).get(), problems);
        continue;
      }
      Tensor t = checkpoint.tensor(spec.name());
      if (!READABLE.contains(t.dtype()) || !t.shape().equals(spec.shape())) {
        problems.add(
            "%s is %s%s, expected %s of F32, BF16 or F16"
                .formatted(spec.name(), t.dtype(), t.shape(), spec.shape()));
      }
    }
    unexpected.removeIf(CheckpointCheck::isHarmless);
    unexpected.forEach(name -> problems.add("unexpected " + name));
    if (!problems.isEmpty()) {
      throw new ModelException(
          "the tensors in %s do not fit its config.json:%n  %s"
              .formatted(folder, String.join(System.lineSeparator() + "  ", problems)));
    }
  }

  private static void check(TensorSpec spec, Shape shape, List<String> problems) {
    if (spec.kind() != TensorSpec.Kind.LINEAR && spec.kind() != TensorSpec.Kind.HEAD) {
      problems.add(spec.name() + " is quantised, which only weights of linear layers can be");
    } else if (!shape.equals(spec.shape())) {
      problems.add("%s is %s quantised, expected %s".formatted(spec.name(), shape, spec.shape()));
    }
  }

  /** Rope frequencies, which old checkpoints store, and a head that repeats the tied embeddings. */
  private static boolean isHarmless(String name) {
    return name.endsWith(".rotary_emb.inv_freq") || name.equals(ModelTensors.HEAD);
  }
}
