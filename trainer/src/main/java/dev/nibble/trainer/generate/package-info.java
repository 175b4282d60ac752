/** Text from a model, token by token. */
@NullMarked
package dev.nibble.trainer.generate;

import org.jspecify.annotations.NullMarked;
