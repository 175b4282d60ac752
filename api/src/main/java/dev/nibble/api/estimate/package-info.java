/** What memory and time a run will take. */
@NullMarked
package dev.nibble.api.estimate;

import org.jspecify.annotations.NullMarked;
