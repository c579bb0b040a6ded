extension Check {
  /// Every check, in the order in which they are listed: by category, then as written here.
  public static let all: [Check] = [
    // Ranges and names
    dynamicPort, ephemeralPort, systemPort, unexpectedProtocol, unusualPort, unknownProtocol, portName,
    // Conflicts
    portConflict, publicPortConflict, sharedAddress, clashingName,
    // Least exposure
    sensitiveExposure, unboundZone, wideAudience, plainText, widePortRange, endlessExposure, lapsedStatement,
    redundantExposure,
    blockedExposure, idleBlock, wideTransit, oneFamily, unreachableExposure,
    // Completeness
    missingOwner, missingPurpose, unplacedService, unusedZone, unusedOwner, unusedGroup, unusedExposure, unexposedUse,
    // Clusters
    strayNodePort, foreignNodePort, dynamicNodePort, nodePortConflict, overlappingAllotments, nodeHostPort,
    closedBalancer, hiddenClient, unenforcedLimit, sharedPods, refusedName,
    // Invariants and waivers
    brokenNever, brokenAlways, unusedWaiver, lapsedWaiver, unknownCheck,
  ]
}
