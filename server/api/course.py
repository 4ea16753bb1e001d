"""Courses of treatment."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from schemas.base import PageQuery
from schemas.course import CourseAnswer, CourseBody, CourseChanges, CoursePage
from server.api.body import Blueprint
from server.api.contract_notes import documented_headers
from server.api.edge import allow, writing
from server.api.kept_answer import once
from server.api.paging import paged
from server.api.version_header import etag, required_version, takes_version
from server.clinical.vocabulary import Role
from server.services.visits import course as courses
from server.services.visits import recorded

blueprint = Blueprint("courses", __name__, description="Courses: planned runs of treatment sessions")
CARE = (Role.CLINICIAN, Role.COORDINATOR)


@blueprint.route("/patients/<uuid:patient_id>/courses", methods=["POST"])
@allow(*CARE)
@once()
@blueprint.arguments(CourseBody)
@blueprint.response(201, CourseAnswer, headers=documented_headers("ETag"))
def create_course(body: dict[str, Any], patient_id: UUID) -> Any:
    """Plan a course for a patient."""
    with writing() as work:
        course = courses.create(work, patient_id, body)
    return course, 201, etag(course.version)


@blueprint.route("/patients/<uuid:patient_id>/courses", methods=["GET"])
@allow(*CARE)
@blueprint.arguments(PageQuery, location="query")
@blueprint.response(200, CoursePage)
def list_courses(query: Mapping[str, Any], patient_id: UUID) -> Any:
    """Read a patient's courses, a page at a time. Audited."""
    with writing() as work:
        work.audit("course.list", patient_id)
        return paged(query, lambda after, size: courses.page(work, patient_id, after, size))


@blueprint.route("/patients/<uuid:patient_id>/courses/<uuid:course_id>", methods=["PATCH"])
@allow(*CARE)
@blueprint.arguments(CourseChanges)
@blueprint.response(200, CourseAnswer, headers=documented_headers("ETag"))
@takes_version()
def change_course(body: dict[str, Any], patient_id: UUID, course_id: UUID) -> Any:
    """Change phase, end or intervals of a course; needs If-Match."""
    version = required_version()
    with writing() as work:
        course = recorded.course_change(work, patient_id, course_id, body, version)
    return course, 200, etag(course.version)
