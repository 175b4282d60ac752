/**
 * The folder of a run: who may write there, and the records kept of what happened.
 *
 * @nibble.internal
 */
@NullMarked
package dev.nibble.trainer.run;

import org.jspecify.annotations.NullMarked;
