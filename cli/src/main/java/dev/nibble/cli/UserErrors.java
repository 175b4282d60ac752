package dev.nibble.cli;

import dev.nibble.adapters.AdapterException;
import dev.nibble.compute.kernels.KernelUnavailable;
import dev.nibble.compute.kernels.cuda.driver.CudaException;
import dev.nibble.compute.safetensors.MalformedSafetensors;
import dev.nibble.compute.tensor.ScopeException;
import dev.nibble.data.chat.InvalidChatTemplate;
import dev.nibble.data.rows.InvalidDataset;
import dev.nibble.data.tokenizer.InvalidTokenizer;
import dev.nibble.quant.UnusableWeight;
import dev.nibble.recipes.recipe.RecipeException;
import dev.nibble.trainer.checkpoint.CheckpointException;
import dev.nibble.trainer.export.ExportException;
import dev.nibble.trainer.model.ModelException;
import dev.nibble.trainer.run.RunException;
import dev.nibble.trainer.train.TrainingException;
import java.io.UncheckedIOException;
import java.util.Set;

/**
 * Tells errors whose message explains them to a user from those that only a developer understands.
 */
final class UserErrors {
  private UserErrors() {}

  private static final Set<Class<? extends Throwable>> EXPLAINED =
      Set.of(
          AdapterException.class,
          CheckpointException.class,
          CudaException.class,
          ExportException.class,
          IllegalArgumentException.class,
          InvalidChatTemplate.class,
          InvalidDataset.class,
          InvalidTokenizer.class,
          KernelUnavailable.class,
          MalformedSafetensors.class,
          ModelException.class,
          UnusableWeight.class,
          RecipeException.class,
          RunException.class,
          ScopeException.class,
          TrainingException.class,
          UncheckedIOException.class);

  static boolean isExplained(Throwable e) {
    return e.getMessage() != null && EXPLAINED.contains(e.getClass());
  }

  static String message(Throwable e) {
    String message = String.valueOf(e.getMessage());
    return e instanceof UncheckedIOException io && io.getCause() != null
        ? io.getCause().getClass().getSimpleName() + ": " + message
        : message;
  }
}
