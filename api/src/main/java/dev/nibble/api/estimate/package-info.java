/** Estimates of the memory and time that a run needs. */
@NullMarked
package dev.nibble.api.estimate;

import org.jspecify.annotations.NullMarked;
