package dev.nibble.api.wiring;

import dev.nibble.adapters.AdapterSpec;
import dev.nibble.adapters.Parameters;
import dev.nibble.adapters.PeftAdapter;
import dev.nibble.compute.kernels.Kernels;
import dev.nibble.trainer.checkpoint.ModelFiles;
import java.nio.file.Path;

/**
 * What trained is an adapter: PEFT's files.
 *
 * @param exact as it is, to go on from, and not as plain LoRA where the base weights were changed
 */
record AdapterFiles(
    AdapterSpec spec, Path base, Parameters parameters, boolean exact, Kernels kernels)
    implements ModelFiles {

  /** The same to the bit, from which training can go on. */
  AdapterFiles toGoOn() {
    return new AdapterFiles(spec, base, parameters, true, kernels);
  }

  @Override
  public void save(Path folder) {
    if (exact) {
      PeftAdapter.saveExact(folder, spec, base.toString(), parameters, kernels);
    } else {
      PeftAdapter.save(folder, spec, base.toString(), parameters, kernels);
    }
  }

  @Override
  public void load(Path folder) {
    PeftAdapter.open(folder).copyTo(parameters, kernels);
  }
}
