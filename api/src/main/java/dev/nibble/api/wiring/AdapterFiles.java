package dev.nibble.api.wiring;

import dev.nibble.adapters.AdapterSpec;
import dev.nibble.adapters.Parameters;
import dev.nibble.adapters.PeftAdapter;
import dev.nibble.compute.kernels.Kernels;
import dev.nibble.trainer.checkpoint.ModelFiles;
import java.nio.file.Files;
import java.nio.file.Path;

/**
 * Files of a run that trained an adapter, in PEFT's layout, for the base model as it is. An adapter
 * whose start changed the base weights is converted for that, and so lies a second time in a
 * checkpoint, as it is, for a run to continue from to the bit.
 *
 * @param continues whether a run can continue from them
 */
record AdapterFiles(
    AdapterSpec spec, Path base, Parameters parameters, boolean continues, Kernels kernels)
    implements ModelFiles {
  private static final String UNCONVERTED = "unconverted";

  /** The same to the bit, from which training can continue. */
  AdapterFiles toContinue() {
    return new AdapterFiles(spec, base, parameters, true, kernels);
  }

  @Override
  public void save(Path folder) {
    PeftAdapter.save(folder, spec, base.toString(), parameters, kernels);
    if (continues && spec.changesBase()) {
      PeftAdapter.saveExact(
          folder.resolve(UNCONVERTED), spec, base.toString(), parameters, kernels);
    }
  }

  @Override
  public void load(Path folder) {
    Path unconverted = folder.resolve(UNCONVERTED);
    PeftAdapter.open(Files.isDirectory(unconverted) ? unconverted : folder)
        .copyTo(parameters, kernels);
  }
}
