/**
 * The file that says which weight format each matrix of a model has.
 *
 * @nibble.internal
 */
@NullMarked
package dev.nibble.trainer.plan;

import org.jspecify.annotations.NullMarked;
