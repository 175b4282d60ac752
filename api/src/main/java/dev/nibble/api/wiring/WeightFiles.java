package dev.nibble.api.wiring;

import dev.nibble.adapters.Parameters;
import dev.nibble.compute.kernels.Kernels;
import dev.nibble.compute.safetensors.Safetensors;
import dev.nibble.compute.safetensors.SafetensorsFile;
import dev.nibble.compute.tensor.DType;
import dev.nibble.quant.NonFinite;
import dev.nibble.trainer.checkpoint.ModelFiles;
import dev.nibble.trainer.model.build.ModelWriter;
import java.nio.file.Path;

/** Files of a run that trained every weight: a complete model. */
record WeightFiles(Path base, DType dtype, Parameters parameters, Kernels kernels)
    implements ModelFiles {

  /** The same in 32 bits, from which training can go on to the bit. */
  WeightFiles exact() {
    return new WeightFiles(base, DType.F32, parameters, kernels);
  }

  @Override
  public void save(Path folder) {
    ModelWriter.save(folder, base, parameters, dtype, kernels);
  }

  @Override
  public void load(Path folder) {
    try (SafetensorsFile file = Safetensors.open(folder.resolve("model.safetensors"))) {
      for (Parameters.Parameter p : parameters.all()) {
        NonFinite.refuse(file.tensor(p.name()), file.path().toString());
        kernels.moving().copy(p.weight(), file.tensor(p.name()));
      }
    }
  }
}
