package dev.nibble.recipes.wiring;

import dev.nibble.adapters.LoraSpec;
import dev.nibble.adapters.Parameters;
import dev.nibble.adapters.PeftAdapter;
import dev.nibble.compute.kernels.Kernels;
import dev.nibble.trainer.checkpoint.ModelFiles;
import java.nio.file.Path;

/** What trained is an adapter: PEFT's files. */
record AdapterFiles(LoraSpec spec, Path base, Parameters parameters, Kernels kernels)
    implements ModelFiles {
  @Override
  public void save(Path folder) {
    PeftAdapter.save(folder, spec, base.toString(), parameters);
  }

  @Override
  public void load(Path folder) {
    PeftAdapter.open(folder).copyTo(parameters, kernels);
  }
}
