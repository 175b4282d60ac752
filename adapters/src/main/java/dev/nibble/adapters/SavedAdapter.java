package dev.nibble.adapters;

import dev.nibble.adapters.Parameters.Constant;
import dev.nibble.compute.kernels.Kernels;
import dev.nibble.compute.tensor.DType;
import dev.nibble.compute.tensor.Memory;
import dev.nibble.compute.tensor.Scope;
import dev.nibble.compute.tensor.Tensor;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * An adapter as its files are to have it.
 *
 * @param spec its description
 * @param tensors by their names in the file; they live until this closes
 * @param made owns those that were made for it
 */
public record SavedAdapter(AdapterSpec spec, Map<String, Tensor> tensors, Scope made)
    implements AutoCloseable {

  /** The parameters and the constants as they are. */
  static SavedAdapter exact(AdapterSpec spec, Parameters parameters, Kernels kernels) {
    Map<String, Tensor> tensors = new LinkedHashMap<>();
    parameters.all().forEach(p -> tensors.put(p.name(), p.weight()));
    Scope host = Scope.open("constants", Memory.host());
    for (Constant c : parameters.constants()) {
      Tensor stored = host.allocate(c.name(), DType.F32, c.shape().dims());
      tensors.put(c.name(), stored.put(c.get(kernels)));
    }
    return new SavedAdapter(spec, tensors, host);
  }

  @Override
  public void close() {
    made.close();
  }
}
