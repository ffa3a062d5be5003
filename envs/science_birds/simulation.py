"""Science Birds' physics: Box2D with the constants of its Unity project.

Unity's 2D physics is Box2D, so a level here falls as it falls there, up to the order in which
contacts are solved. Everything is deterministic: the same level gives the same poses in every
process.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import Box2D
import numpy as np
from numpy.typing import NDArray

from arena.envs.errors import InputError
from arena.envs.science_birds import blocks
from arena.envs.science_birds.levels import Level, Piece

GRAVITY = -9.81
BLOCK_GRAVITY = 0.5
STEP = 0.02
ITERATIONS = 100
LINEAR_DAMPING, ANGULAR_DAMPING = 1.0, 0.05
GROUND_TOP = -3.5
DENSITY = 1.0

SECONDS = 10.0
"""How long a level is watched before it is judged."""
TRIES = 3
MOVED = 0.1
"""A block that is displaced by this much (world units) has moved."""


@dataclass
class Body:
    """A thing in the world. ``life`` is None where nothing can break it; ``whole`` is it unhurt."""

    piece: Piece
    handle: Any
    life: float | None
    alive: bool = True

    def __post_init__(self) -> None:
        self.whole = self.life or 1.0


class _Contacts(Box2D.b2ContactListener):  # type: ignore[misc]
    """Collects the speed of every new contact; worlds must not be changed inside the callback."""

    def __init__(self) -> None:
        super().__init__()
        self.hits: list[tuple[Body | None, Body | None, float]] = []

    def BeginContact(self, contact: Any) -> None:  # noqa: N802 - Box2D's name
        a, b = contact.fixtureA.body, contact.fixtureB.body
        va, vb = a.linearVelocity, b.linearVelocity
        speed = math.hypot(va[0] - vb[0], va[1] - vb[1])
        self.hits.append((a.userData, b.userData, speed))


class World:
    """One level as bodies. ``step`` moves it by 0.02 s; ``launch`` shoots the next bird.

    Args:
        level: what stands there.
        competition: RectSmall as short as in the competition's evaluator (see ``blocks``).
        order: the order in which the pieces become bodies, which Box2D's solver follows; the
            file's order by default.
    """

    def __init__(
        self, level: Level, *, competition: bool = False, order: Sequence[int] | None = None
    ) -> None:
        self.level = level
        self.competition = competition
        self.time = 0.0
        self.points = 0
        self.birds_left = list(level.birds)
        self.contacts = _Contacts()
        self.box2d = Box2D.b2World(
            gravity=(0, GRAVITY), doSleep=True, contactListener=self.contacts
        )
        self.half_width = level.width * blocks.LEVEL_WIDTH / 2
        ground = self.box2d.CreateStaticBody(position=(0, GROUND_TOP - 5))
        ground.CreateFixture(
            shape=Box2D.b2PolygonShape(box=(self.half_width + 5, 5)),
            friction=blocks.DEFAULT_FRICTION,
        )
        bodies: list[Body | None] = [None] * len(level.pieces)
        for index in range(len(level.pieces)) if order is None else order:
            bodies[index] = self._add(level.pieces[index])
        self.bodies = [body for body in bodies if body is not None]
        self.flying: Body | None = None

    # -- building ------------------------------------------------------------------------------

    def _add(self, piece: Piece) -> Body:
        if piece.tag == "Platform":
            w, h = blocks.PLATFORM[0] * piece.scale[0], blocks.PLATFORM[1] * piece.scale[1]
            handle = self.box2d.CreateStaticBody(
                position=(piece.x, piece.y), angle=math.radians(piece.rotation)
            )
            handle.CreateFixture(
                shape=Box2D.b2PolygonShape(box=(w / 2, h / 2)), friction=blocks.DEFAULT_FRICTION
            )
            return Body(piece, handle, None)
        if piece.tag == "Block":
            return self._dynamic(
                piece, piece.kind, blocks.LIFE[piece.material], blocks.FRICTION[piece.material],
                BLOCK_GRAVITY, None, LINEAR_DAMPING, ANGULAR_DAMPING,
            )  # fmt: skip
        if piece.tag == "Pig":
            return self._dynamic(
                piece, piece.kind, blocks.PIG_LIFE[piece.kind], blocks.DEFAULT_FRICTION,
                blocks.PIG_GRAVITY[piece.kind], blocks.PIG_MASS[piece.kind], 0.0, ANGULAR_DAMPING,
            )  # fmt: skip
        return self._dynamic(
            piece, "TNT", blocks.TNT_LIFE, blocks.DEFAULT_FRICTION, 1.0, 1.0, 0.0, ANGULAR_DAMPING
        )

    def _dynamic(
        self, piece: Piece, kind: str, life: float | None, friction: float, gravity: float,
        mass: float | None, linear_damping: float, angular_damping: float,
    ) -> Body:  # fmt: skip
        handle = self.box2d.CreateDynamicBody(
            position=(piece.x, piece.y), angle=math.radians(piece.rotation), gravityScale=gravity,
            linearDamping=linear_damping, angularDamping=angular_damping,
        )  # fmt: skip
        shape, area = _shape(kind, self.competition)
        density = DENSITY if mass is None else mass / area
        if kind == "TriangleHole":
            density *= 1 - blocks.TRIANGLE_HOLE_AREA / area
        handle.CreateFixture(shape=shape, density=density, friction=friction)
        body = Body(piece, handle, life)
        handle.userData = body
        return body

    # -- time ----------------------------------------------------------------------------------

    @property
    def asleep(self) -> bool:
        """Whether nothing moves any more."""
        return not any(body.alive and body.handle.awake for body in self._moving())

    def _moving(self) -> list[Body]:
        return self.bodies if self.flying is None else [*self.bodies, self.flying]

    def step(self) -> None:
        """0.02 s pass: bodies move, contacts do damage, what is broken or gone is removed."""
        self.box2d.Step(STEP, ITERATIONS, ITERATIONS)
        self.time += STEP
        hits = self.contacts.hits
        if hits:
            self.contacts.hits = []
            for a, b, speed in hits:
                self._damage(a, speed)
                self._damage(b, speed)
        for body in self._moving():
            if body.alive and abs(body.handle.position[0]) > self.half_width + 1.0:
                self._destroy(body)

    def run(
        self, seconds: float, watch: Callable[[World], None] | None = None, every: int = 5
    ) -> None:
        """Let time pass until all sleep, for ``seconds`` at most.

        ``watch`` is called with this world at the start, after each ``every`` steps and at the end.
        """
        if watch is not None:
            watch(self)
        for count in range(1, round(seconds / STEP) + 1):
            self.step()
            resting = self.asleep
            if watch is not None and (count % every == 0 or resting):
                watch(self)
            if resting:
                break

    def _damage(self, body: Body | None, amount: float) -> None:
        if body is None or not body.alive or body.life is None:
            return
        body.life -= amount
        if body.life <= 0:
            self._destroy(body)

    def _destroy(self, body: Body) -> None:
        body.alive = False
        where = body.handle.position.copy()
        self.box2d.DestroyBody(body.handle)
        if body.piece.tag == "Pig":
            self.points += 50
        elif body.piece.tag == "Block":
            self.points += 25
        elif body.piece.tag == "TNT":
            self._explode(where)

    def _explode(self, where: Any) -> None:
        for body in self.bodies:
            if not body.alive or body.piece.tag == "Platform":
                continue
            away = body.handle.worldCenter - where
            distance = max(away.length, 0.01)
            if distance <= blocks.EXPLOSION_RADIUS:
                push = away * (blocks.EXPLOSION_POWER / (2 * distance * distance))
                body.handle.ApplyLinearImpulse(push, body.handle.worldCenter, True)
                self._damage(body, blocks.EXPLOSION_DAMAGE / distance)

    # -- shooting ------------------------------------------------------------------------------

    def launch(self, pull: tuple[float, float]) -> None:
        """Shoot the next bird, drawn back from the slingshot by ``pull`` (world units).

        A pull is shortened to length 1, as far as the sling can be drawn. Raises InputError when
        no bird is left, or one with a special power is next.
        """
        if not self.birds_left:
            raise InputError("no bird is left to shoot")
        kind = self.birds_left[0]
        if kind != "BirdRed":
            raise InputError(f"the flight of {kind} is not simulated; only BirdRed's is")
        if not all(map(math.isfinite, pull)):
            raise InputError(f"pull {pull} is not a pair of finite numbers")
        self.retire_bird()
        del self.birds_left[0]
        length = math.hypot(*pull)
        factor = min(1.0, blocks.LONGEST_PULL / length) if length > 0 else 0.0
        dx, dy = pull[0] * factor, pull[1] * factor
        x = self.level.slingshot[0] + blocks.SLINGSHOT_HOLD[0] + dx
        y = self.level.slingshot[1] + blocks.SLINGSHOT_HOLD[1] + dy
        bird = self._dynamic(
            Piece("Bird", kind, x, y), kind, None, blocks.DEFAULT_FRICTION, blocks.LAUNCH_GRAVITY,
            blocks.BIRD_RED_MASS, 0.0, 0.0,
        )  # fmt: skip
        impulse = (-dx * blocks.LAUNCH_IMPULSE, -dy * blocks.LAUNCH_IMPULSE)
        bird.handle.ApplyLinearImpulse(impulse, bird.handle.worldCenter, True)
        self.flying = bird

    def retire_bird(self) -> None:
        """Take the bird that was shot out of the world."""
        if self.flying is not None and self.flying.alive:
            self._destroy(self.flying)
        self.flying = None

    def shoot(
        self, pull: tuple[float, float], watch: Callable[[World], None] | None = None
    ) -> None:
        """Launch a bird, let everything come to rest (20 s at most), and retire the bird."""
        self.launch(pull)
        self.run(20.0, watch)
        self.retire_bird()

    # -- looking -------------------------------------------------------------------------------

    def poses(self) -> NDArray[np.float64]:
        """Each piece's x, y (world units) and angle (radians), float64 ``(n, 3)``.

        A piece that is destroyed has NaNs.
        """
        out = np.full((len(self.bodies), 3), np.nan)
        for i, body in enumerate(self.bodies):
            if body.alive:
                position = body.handle.position
                out[i] = position[0], position[1], body.handle.angle
        return out

    def pigs_left(self) -> int:
        """How many pigs live."""
        return sum(body.alive for body in self.bodies if body.piece.tag == "Pig")


_SHAPES: dict[tuple[str, bool], tuple[Any, float]] = {}


def _shape(kind: str, competition: bool) -> tuple[Any, float]:
    """Box2D's shape of a kind and its area; made once, for Box2D copies what it is given."""
    key = (kind, competition)
    if key not in _SHAPES:
        polygon = blocks.outline(kind, competition=competition)
        x, y = polygon.T
        area = 0.5 * float(np.dot(x, np.roll(y, -1)) - np.dot(y, np.roll(x, -1)))
        _SHAPES[key] = Box2D.b2PolygonShape(vertices=polygon.tolist()), area
    return _SHAPES[key]


@dataclass(frozen=True)
class StabilityVerdict:
    """What became of a level.

    Attributes:
        stability: 1 − moved / pieces, of the best try; 0 for an empty level.
        poses: float64 ``(n, 3)`` of that try at its end (see ``World.poses``).
        seconds: simulated time until all slept, at most 10.
    """

    stability: float
    poses: NDArray[np.float64]
    seconds: float


def judge(
    level: Level,
    *,
    competition: bool = True,
    tries: int = TRIES,
    watch: Callable[[World], None] | None = None,
) -> StabilityVerdict:
    """Stability as the competition measures it: what has moved after 10 s, best of three tries.

    In Unity the tries differ by its frame timing; here by the order in which the pieces become
    bodies (the file's, its reverse, from left to right), which is all that Box2D leaves open. A
    level that is whole at the first try is not tried again; a search that cannot wait asks for
    one of the three ``tries`` only. ``watch`` sees the first try's world every 0.1 s.
    """
    count = sum(piece.tag != "Platform" for piece in level.pieces)
    if count == 0:
        return StabilityVerdict(0.0, np.zeros((0, 3)), 0.0)
    best: StabilityVerdict | None = None
    for number in range(tries):
        world = World(level, competition=competition, order=_try_order(level, number))
        start = world.poses()[:, :2]
        world.run(SECONDS, watch if number == 0 else None)
        poses = world.poses()
        # NaN, the place of what was destroyed, is not nearer than MOVED: it counts as moved.
        moved = int((~(np.hypot(*(poses[:, :2] - start).T) < MOVED)).sum())
        verdict = StabilityVerdict(1 - moved / count, poses, world.time)
        if best is None or verdict.stability > best.stability:
            best = verdict
        if best.stability >= 1.0:
            break
    assert best is not None
    return best


def _try_order(level: Level, number: int) -> Sequence[int]:
    pieces = range(len(level.pieces))
    if number == 0:
        return pieces
    if number == 1:
        return pieces[::-1]
    return sorted(pieces, key=lambda i: (level.pieces[i].x, level.pieces[i].y))
