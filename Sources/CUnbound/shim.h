// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Waxwing authors

#ifndef WAXWING_CUNBOUND_SHIM_H
#define WAXWING_CUNBOUND_SHIM_H

#include <unbound.h>

#endif
