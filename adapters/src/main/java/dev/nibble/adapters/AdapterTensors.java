package dev.nibble.adapters;

import dev.nibble.compute.tensor.Tensor;
import java.util.Map;

/**
 * The tensors of one module in an adapter file.
 *
 * @param module its full name
 * @param bySuffix its tensors by the end of their names, see {@link AdapterSpec#tensorSuffixes},
 *     and those that it shares with others by their names, see {@link AdapterSpec#sharedTensors}
 */
public record AdapterTensors(String module, Map<String, Tensor> bySuffix) {
  /** Copies the map. */
  public AdapterTensors {
    bySuffix = Map.copyOf(bySuffix);
  }

  /** True when there is a tensor whose name ends so. */
  public boolean has(String suffix) {
    return bySuffix.containsKey(suffix);
  }

  /**
   * The tensor whose name ends so.
   *
   * @throws AdapterException when there is none
   */
  public Tensor get(String suffix) {
    Tensor tensor = bySuffix.get(suffix);
    if (tensor == null) {
      throw incomplete();
    }
    return tensor;
  }

  AdapterException incomplete() {
    return new AdapterException(
        "module %s has only %s"
            .formatted(module, bySuffix.values().stream().map(Tensor::name).sorted().toList()));
  }
}
